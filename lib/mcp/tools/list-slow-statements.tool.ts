import type { SlowQuery } from '../../explain/slow-queries.js';
import { duration, figure } from '../../text/quantities.js';
import { flag, text } from '../arguments.js';
import { code, place } from '../markdown.js';
import { planLines } from '../plan-lines.js';
import { contains, headOf, limit, selected } from '../selection.js';
import { tool } from '../tool.js';

/** Statements that are considered: those with the most total time. */
const CONSIDERED = 1000;

export const listSlowStatements = tool({
  name: 'list_slow_statements',
  title: 'Slow statements',
  description:
    'Database statements without their values, the most total time first: how often, how long, rows, the operations and the line of code that run them, and where known the plan of the database and a missing index.',
  arguments: {
    statement: text('Only statements whose text contains this, such as a table'),
    operation: text('Only statements that run in operations whose name contains this'),
    all: flag('Include statements that were never slow. Default false'),
    limit,
  },
  answer: ({ statement, operation, all, limit: max }, { monitor, links }) => {
    const selection = selected(
      monitor.getSlowQueries({ all: all === true, limit: CONSIDERED }),
      (one) =>
        contains(one.fingerprint, statement) &&
        (operation === undefined || one.routes.some(({ name }) => contains(name, operation))),
      max,
    );
    return {
      lines: [
        headOf(selection, all === true ? 'statement' : 'slow statement'),
        ...selection.shown.flatMap((one, index) => ['', ...statementLines(one, index + 1)]),
        ...(selection.total === 0 && all !== true
          ? ['No statement was above the threshold of its type. Set all to true for all statements.']
          : []),
      ],
      data: {
        total: selection.total,
        matching: selection.matching,
        statements: selection.shown,
        page: links.overview,
      },
    };
  },
});

/** The lines of a statement, with its number in the list. */
export function statementLines(query: SlowQuery, number: number): string[] {
  const { fingerprint, count, slowCount, errorCount, totalMs, p50Ms, p95Ms, avgRows, routes, callSite } =
    query;
  const rows = avgRows === undefined ? '' : `, ${figure(avgRows)} rows on average`;
  const failed = errorCount === 0 ? '' : `, ${errorCount} failed`;
  return [
    `${number}. ${code(fingerprint)}`,
    `   ${count} times, ${slowCount} slow${failed}, ${duration(totalMs)} in total, p50 ${duration(p50Ms)}, p95 ${duration(p95Ms)}${rows}`,
    ...(routes.length === 0
      ? []
      : [`   In: ${routes.map((route) => `${code(route.name)} x ${route.count}`).join(', ')}`]),
    ...(callSite === undefined ? [] : [`   Line: ${place(callSite)}`]),
    ...planLines(query.plan).map((line) => `   ${line}`),
  ];
}
