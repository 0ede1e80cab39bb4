import { count } from './matcher-result.js';
import type { PerformanceRecording } from './recording.js';

/**
 * Why a recording says nothing of queries, if it does not: that none were seen would look as if none were made. A
 * request without a query is a good sign only where queries are seen.
 */
export function whyNoQueries({
  operations,
  queries,
  unseen,
  unfinished,
}: PerformanceRecording): string | undefined {
  if (queries.length > 0) return undefined;
  const drivers = unseen.map(({ driver, advice }) => `  ${driver}: ${advice}`).join('\n');
  // The test's own call to its server tells nothing of the application.
  const inside = operations.filter(({ type, root }) => type !== 'external' || root !== undefined);
  if (inside.length === 0) {
    const calls =
      operations.length === 0 ? '' : ` but ${count(operations.length, 'outgoing call', 'outgoing calls')}`;
    const running = unfinished.length === 0 ? '' : ` What began still runs: ${unfinished.join(', ')}.`;
    return `Nothing was seen${calls}: no request, no tracked method, no query.${running} Was the request sent within recordPerformance, awaited, and to the application that imports PerformanceModule? Was app.init() or app.listen() called?${drivers === '' ? '' : `\n\nQueries of these are not seen:\n\n${drivers}`}`;
  }
  if (drivers === '') return undefined;
  return `No query was seen, but the application uses databases whose queries are not seen:\n\n${drivers}\n\nIf this test needs none of them: recordPerformance(fn, { allowUnseen: [${unseen.map(({ driver }) => `'${driver}'`).join(', ')}] }).`;
}
