import { performance } from 'node:perf_hooks';
import type { PerformanceMonitor } from '../monitor/performance-monitor.js';
import { OTHER } from '../operation/operation.js';
import type { OperationCost } from '../statistics/operation-cost.js';
import { formatValue } from '../validation/options-error.js';
import { code } from './markdown.js';
import { ToolFault } from './tool.js';

/** Similar names in an error. */
const MAX_SIMILAR = 8;

/**
 * The cost of the operation of this name. Upper and lower case are the same where that is unambiguous.
 * @throws ToolFault if there is none, or several of different types; it names them
 */
export function findOperation(monitor: PerformanceMonitor, name: string, type?: string): OperationCost {
  const all = monitor.operationTotals().filter((one) => type === undefined || one.type === type);
  const exact = all.filter((one) => one.name === name);
  const lower = name.toLowerCase();
  const found = exact.length > 0 ? exact : all.filter((one) => one.name.toLowerCase() === lower);
  const [first, second] = found;
  if (first === undefined) throw new ToolFault(unknown(name, type, similar(all, lower)));
  if (second !== undefined)
    throw new ToolFault(
      `Several operations are called ${code(name)}: give the argument type, one of ${found.map((one) => one.type).join(', ')}`,
    );
  const [cost] = monitor.operationsByCost(1, performance.now(), [first]);
  // Not certain only if the statistics were reset in between, which nothing here waits for.
  return cost as OperationCost;
}

function unknown(name: string, type: string | undefined, names: readonly string[]): string {
  const ofType = type === undefined ? '' : ` of type ${formatValue(type)}`;
  const advice =
    names.length === 0
      ? 'expected the name of an operation that has run, such as "GET /users/:id": list_operations lists them'
      : `expected the name of an operation that has run. Similar ones: ${names.map((one) => code(one)).join(', ')}`;
  return `Invalid argument operation: received ${formatValue(name)}${ofType}, ${advice}`;
}

/** The names that share the most words with what was asked for. */
function similar(all: readonly { name: string; totalMs: number }[], lower: string): string[] {
  const words = lower.split(/[^\p{L}\p{N}]+/u).filter((word) => word.length > 1);
  return all
    .filter(({ name }) => name !== OTHER)
    .map(({ name, totalMs }) => {
      const own = name.toLowerCase();
      return { name, totalMs, shared: words.filter((word) => own.includes(word)).length };
    })
    .filter(({ shared }) => shared > 0)
    .sort((a, b) => b.shared - a.shared || b.totalMs - a.totalMs)
    .slice(0, MAX_SIMILAR)
    .map(({ name }) => name);
}
