import { performance } from 'node:perf_hooks';
import type { SlowOperation } from '../../explain/slow-operation.js';
import type { HotFunction } from '../../profiling/hot-functions.js';
import type { OperationCost } from '../../statistics/operation-cost.js';
import { percent } from '../../text/quantities.js';
import { formatValue, invalid } from '../../validation/options-error.js';
import { ArgumentError, text } from '../arguments.js';
import { CodeSearch } from '../code-places.js';
import { code, ofTotal, operationLine, place, prose, titled, titledList } from '../markdown.js';
import { firstOfEach } from '../selection.js';
import { tool } from '../tool.js';
import { findingLines } from './list-findings.tool.js';
import { statementLines } from './list-slow-statements.tool.js';

/** Entries of each list. */
const LISTED = 10;
const CONSIDERED_STATEMENTS = 1000;

/** A hot function of slow operations, with the operation in which it had the greatest share. */
interface SeenFunction extends HotFunction {
  readonly operation: string;
  readonly slowOperation: string;
}

export const getCodeContext = tool({
  name: 'get_code_context',
  title: 'What a file or symbol costs',
  description:
    'What is known of a file, class or method before you change it: the operations it handles, how often they run and how long they take, the findings and statements at its lines, and its share of CPU in slow operations. No file is opened.',
  arguments: {
    file: text('A path such as src/albums/albums.service.ts: relative, absolute, or only the name'),
    symbol: text('A class, a method, or both: AlbumsService, list, AlbumsService.list'),
  },
  answer: ({ file, symbol }, { monitor, links }) => {
    if (file === undefined && symbol === undefined)
      throw new ArgumentError(invalid('arguments', 'none', 'file, symbol or both'));
    const search = new CodeSearch(file, symbol);
    const slow = monitor.getSlowOperations();
    const findings = monitor.getFindings().filter(({ callSite }) => search.isAt(callSite));
    const statements = monitor
      .getSlowQueries({ all: true, limit: CONSIDERED_STATEMENTS })
      .filter(({ callSite }) => search.isAt(callSite));
    const functions = hotFunctions(slow, search);
    const handled = monitor
      .operationTotals()
      .filter(({ name, handler }) => search.isMethod(handler) || search.isMethod(name))
      .sort((a, b) => b.excessMs - a.excessMs || b.totalMs - a.totalMs);
    const listed = handled.slice(0, LISTED);
    const operations: OperationCost[] =
      listed.length === 0 ? [] : monitor.operationsByCost(listed.length, performance.now(), listed);
    const evidence = firstOfEach(
      slow.filter(({ callSite, http }) => search.isAt(callSite) || search.isMethod(http?.handler)),
    );
    const isKnown = [findings, statements, functions, handled, evidence].some((list) => list.length > 0);
    const shown = {
      findings: findings.slice(0, LISTED),
      statements: statements.slice(0, LISTED),
      functions: functions.slice(0, LISTED),
      slow: evidence.slice(0, LISTED),
    };
    const asked = [file, symbol]
      .flatMap((one) => (one === undefined ? [] : [formatValue(one)]))
      .join(' and ');
    return {
      lines: isKnown
        ? [
            ...titledList('Operations it handles', operations.map(operationLine), handled.length),
            ...titled(
              `Findings at its lines (${ofTotal(shown.findings.length, findings.length)})`,
              shown.findings.flatMap((finding, index) => findingLines(finding, index + 1)),
            ),
            ...titled(
              `Statements from its lines (${ofTotal(shown.statements.length, statements.length)})`,
              shown.statements.flatMap((statement, index) => statementLines(statement, index + 1)),
            ),
            ...titledList('CPU in slow operations', shown.functions.map(functionLine), functions.length),
            ...titledList(
              'Latest slow execution of each operation',
              shown.slow.map(slowLine),
              evidence.length,
            ),
          ].slice(1)
        : [
            `Nothing is known of ${asked}: no handler of that name ran, and no finding, statement or slow operation was located there. Code that is fast, or runs within handlers of other classes, is not listed.`,
          ],
      data: {
        operations: operations.map(({ sparkline: _, ...one }) => ({
          ...one,
          handler: listed.find(({ type, name }) => type === one.type && name === one.name)?.handler,
          page: links.operation(one.type, one.name),
        })),
        findings: shown.findings,
        statements: shown.statements,
        hotFunctions: shown.functions,
        slowOperations: shown.slow.map(({ id, name, type, durationMs, cause, callSite }) => ({
          id,
          name,
          type,
          durationMs,
          cause,
          callSite,
          page: links.slowOperation(id),
        })),
        counts: {
          operations: handled.length,
          findings: findings.length,
          statements: statements.length,
          hotFunctions: functions.length,
          slowOperations: evidence.length,
        },
      },
    };
  },
});

/** Those of the searched code, by their greatest share. */
function hotFunctions(slow: readonly SlowOperation[], search: CodeSearch): SeenFunction[] {
  const byPlace = new Map<string, SeenFunction>();
  for (const { id, name, topFunctions = [] } of slow)
    for (const hot of topFunctions) {
      if (!search.isAt(hot) && !search.isAt(hot.calledFrom)) continue;
      const key = `${hot.function} ${hot.file ?? ''} ${hot.calledFrom?.function ?? ''}`;
      if ((byPlace.get(key)?.share ?? 0) < hot.share)
        byPlace.set(key, { ...hot, operation: name, slowOperation: id });
    }
  return [...byPlace.values()].sort((a, b) => b.share - a.share);
}

function functionLine({ function: name, share, file, line, calledFrom, operation }: SeenFunction): string {
  const at = file === undefined ? '' : ` at ${code(`${file}:${line}`)}`;
  const from = calledFrom === undefined ? '' : `, called from ${place(calledFrom)}`;
  return `${code(name)}${at}${from}: ${percent(share)} of the CPU samples of ${code(operation)}`;
}

function slowLine({ id, explanation }: SlowOperation): string {
  return `${prose(explanation, 400)} Id ${code(id)}`;
}
