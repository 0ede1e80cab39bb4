import { CAUSES } from '../../explain/cause.js';
import { slowMatcher } from '../../explain/slow-filter.js';
import type { SlowOperation } from '../../explain/slow-operation.js';
import { moment as momentText } from '../../text/quantities.js';
import { moment, oneOf, text } from '../arguments.js';
import { code, prose } from '../markdown.js';
import { contains, DEFAULT_LIMIT, firstOfEach, headOf, limit } from '../selection.js';
import { tool } from '../tool.js';

export const listSlowOperations = tool({
  name: 'list_slow_operations',
  title: 'Slow operations',
  description:
    'Executions above their threshold that are kept with evidence: incoming requests, statements, outgoing calls, jobs, measured methods. Each with its duration, its cause in words, and an id for get_slow_operation.',
  arguments: {
    operation: text('Only operations whose name contains this, such as "GET /albums"'),
    type: text('Only operations of this type, such as http, database, external or queue'),
    cause: oneOf('Only operations with this first cause', CAUSES),
    since: moment('Only operations that ended since then'),
    until: moment('Only operations that ended until then'),
    order: oneOf('newest (default) or slowest first, or the slowest execution of each operation', [
      'newest',
      'slowest',
      'slowest_of_each',
    ]),
    limit,
  },
  answer: ({ operation, type, cause, since, until, order, limit: max }, { monitor, links }) => {
    const all = monitor.getSlowOperations();
    if (order?.startsWith('slowest')) all.sort((a, b) => b.durationMs - a.durationMs);
    const matches = slowMatcher({ type, cause, since, until });
    const matching = all.filter((one) => contains(one.name, operation) && matches(one));
    const listed = order === 'slowest_of_each' ? firstOfEach(matching) : matching;
    const selection = {
      shown: listed.slice(0, max ?? DEFAULT_LIMIT),
      matching: listed.length,
      total: all.length,
    };
    const operations = selection.shown.map((one) => ({
      ...briefOf(one),
      page: links.slowOperation(one.id),
    }));
    return {
      lines: [
        headOf(selection, 'slow operation'),
        ...operations.flatMap((one, index) => [
          '',
          `${index + 1}. ${code(one.name)} (${one.type}), ${momentText(one.timestamp)}${one.error ? ', failed' : ''}. Id ${code(one.id)}`,
          `   ${prose(one.explanation)}`,
          ...(one.page === undefined ? [] : [`   Page: ${one.page}`]),
        ]),
      ],
      data: { total: selection.total, matching: selection.matching, operations },
    };
  },
});

function briefOf(
  operation: SlowOperation,
): Pick<
  SlowOperation,
  | 'id'
  | 'timestamp'
  | 'type'
  | 'name'
  | 'durationMs'
  | 'thresholdMs'
  | 'error'
  | 'cause'
  | 'causeShare'
  | 'explanation'
  | 'callSite'
  | 'root'
> {
  const { id, timestamp, type, name, durationMs, thresholdMs, error } = operation;
  const { cause, causeShare, explanation, callSite, root } = operation;
  return {
    id,
    timestamp,
    type,
    name,
    durationMs,
    thresholdMs,
    error,
    cause,
    causeShare,
    explanation,
    callSite,
    root,
  };
}
