import type { CallSite } from '../code/call-site.js';
import { shortened } from '../report/report-words.js';
import type { OperationCost } from '../statistics/operation-cost.js';
import { printable } from '../text/printable.js';
import { duration } from '../text/quantities.js';

/** Of a name or a statement in a text, in characters. */
const MAX_CODE = 600;
/** Of a sentence in a text, in characters. */
const MAX_PROSE = 1200;

/** A text of the application as a code span: exactly as it is, so that it can be copied, and without effect as Markdown. */
export function code(text: string, max = MAX_CODE): string {
  const line = printable(shortened(text, max));
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const pad = line === '' || line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${line}${pad}${fence}`;
}

/** A sentence that may quote the application, on one line, without links, images, HTML or code. */
export function prose(text: string, max = MAX_PROSE): string {
  return printable(shortened(text.replace(/\s*\n\s*/g, ' '), max)).replace(/[\\[\]<>`]/g, String.raw`\$&`);
}

/** `` `CatalogService.withTracks` at `src/catalog.service.ts:42` `` */
export function place({ function: name, file, line }: Pick<CallSite, 'function' | 'file' | 'line'>): string {
  return `${code(name)} at ${code(`${file}:${line}`)}`;
}

/** Lines under a title, after an empty one. None without lines. */
export function titled(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines];
}

/** Entries as a list under a title, with how many there are. @param total if only some are listed */
export function titledList(title: string, entries: readonly string[], total?: number): string[] {
  const lines = entries.map((entry) => `- ${entry}`);
  return titled(total === undefined ? title : `${title} (${ofTotal(entries.length, total)})`, lines);
}

/** `10 of 12`, or `12` if all are listed. */
export function ofTotal(listed: number, total: number): string {
  return listed < total ? `${listed} of ${total}` : String(total);
}

/** What an operation costs. */
export function operationLine({
  type,
  name,
  lifetime,
  totalMs,
  excessMs,
  thresholdMs,
}: Pick<OperationCost, 'name' | 'lifetime' | 'totalMs' | 'excessMs' | 'thresholdMs'> & {
  readonly type: string;
}): string {
  const { count, slowCount, errorCount, p50, p95 } = lifetime;
  const latency =
    p50 === undefined || p95 === undefined ? '' : `, p50 ${duration(p50)}, p95 ${duration(p95)}`;
  const limit = thresholdMs === undefined ? 'the threshold' : duration(thresholdMs);
  const above =
    slowCount === 0 ? '' : `, ${slowCount} above ${limit} (${duration(excessMs)} too long in total)`;
  const failed = errorCount === 0 ? '' : `, ${errorCount} failed`;
  return `${code(name)} (${type}): ${count} times, ${duration(totalMs)} in total${latency}${above}${failed}`;
}
