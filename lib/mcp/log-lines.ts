import { lastLines, type OperationLog } from '../spans/operation-log.js';
import { milliseconds } from '../text/quantities.js';
import { code } from './markdown.js';

/** The last lines of a log, at most so many; nothing without a log. */
export function logLines(log: OperationLog | undefined, max: number): string[] {
  if (log === undefined || log.lines.length === 0) return [];
  const { lines, omitted } = lastLines(log, max);
  return [
    '',
    'Log (start, level, context, message):',
    ...(omitted === 0 ? [] : [`- ${omitted} earlier lines are left out`]),
    ...lines.map(({ offsetMs, level, context, message }) => {
      const from = context === undefined ? '' : ` [${code(context)}]`;
      return `- +${milliseconds(offsetMs)} ${code(level)}${from} ${code(message)}`;
    }),
  ];
}
