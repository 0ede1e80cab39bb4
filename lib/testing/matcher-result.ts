import { types } from 'node:util';
import { formatValue, invalid } from '../validation/options-error.js';
import type { PerformanceRecording } from './recording.js';

/** The context that Jest and Vitest pass to a matcher. */
export interface MatcherThis {
  readonly isNot?: boolean;
}

/** The result that Jest and Vitest expect of a matcher. */
export interface MatcherResult {
  pass: boolean;
  message(): string;
}

/** The result for a recording. The message is built on demand. */
export function verdict(
  self: MatcherThis,
  call: string,
  recording: PerformanceRecording,
  pass: boolean,
  explain: () => string,
): MatcherResult {
  return { pass, message: () => `${title(self, call)}\n\n${explain()}${unfinishedNote(recording)}` };
}

/** A result that fails even with `.not`, because nothing could be judged. */
export function noVerdict(self: MatcherThis, call: string, why: string): MatcherResult {
  return { pass: self.isNot === true, message: () => `${title(self, call)}\n\n${why}` };
}

/** @throws TypeError for anything but a recording */
export function recordingOf(matcher: string, received: unknown): PerformanceRecording {
  const { operations, queries, requests } = (received ?? {}) as Partial<PerformanceRecording>;
  if (Array.isArray(operations) && Array.isArray(queries) && Array.isArray(requests))
    return received as PerformanceRecording;
  const description = types.isPromise(received) ? 'a promise' : formatValue(received);
  throw new TypeError(
    `${matcher}: ${invalid('value of expect()', description, 'a recording: expect(await recordPerformance(() => …))')}`,
  );
}

/** `1 query`, `3 queries` */
export function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}

function title({ isNot }: MatcherThis, call: string): string {
  return `expect(recording)${isNot === true ? '.not' : ''}.${call}`;
}

function unfinishedNote({ unfinished }: PerformanceRecording): string {
  return unfinished.length === 0
    ? ''
    : `\n\nNot counted, as still running at the end of the recording: ${unfinished.join(', ')}.`;
}

/**
 * Why a recording cannot prove the absence of queries; undefined if it can. A recording without queries is a success only
 * if queries are instrumented.
 */
export function whyNoQueries({
  operations,
  queries,
  unseen,
  unfinished,
}: PerformanceRecording): string | undefined {
  if (queries.length > 0) return undefined;
  const drivers = unseen.map(({ driver, advice }) => `  ${driver}: ${advice}`).join('\n');
  // Ignores the outgoing calls of the test itself to its server.
  const inside = operations.filter(({ type, root }) => type !== 'external' || root !== undefined);
  if (inside.length === 0) {
    const calls =
      operations.length === 0 ? '' : ` except ${count(operations.length, 'outgoing call', 'outgoing calls')}`;
    const running = unfinished.length === 0 ? '' : ` Still running: ${unfinished.join(', ')}.`;
    return `No request, tracked method or query was recorded${calls}.${running} Check that the request is sent and awaited within recordPerformance, that its application imports PerformanceModule, and that app.init() or app.listen() was called.${drivers === '' ? '' : `\n\nQueries of these drivers are not recorded:\n\n${drivers}`}`;
  }
  if (drivers === '') return undefined;
  return `No query was recorded, but the application uses drivers whose queries are not recorded:\n\n${drivers}\n\nIf this test does not use them: recordPerformance(fn, { allowUnseen: [${unseen.map(({ driver }) => `'${driver}'`).join(', ')}] }).`;
}
