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

/** Why the requests of a recording cannot be judged; undefined if all of them were measured. */
export function whyNotServed({ unserved = [] }: PerformanceRecording): string | undefined {
  if (unserved.length === 0) return undefined;
  const [first] = unserved;
  return `${count(unserved.length, 'request was', 'requests were')} made and not measured: ${[...new Set(unserved)].slice(0, MAX_NAMED).join(', ')}. Send requests to the server of the application under test, such as request(app.getHttpServer()), or inject them, after app.init() or app.listen(). If this test does not need them: recordPerformance(fn, { allowUnseen: ['${first}'] }).`;
}

/** Requests and calls that a message names. */
const MAX_NAMED = 5;

/**
 * Why a recording cannot prove the absence of queries; undefined if it can. A recording without queries is a success only
 * if queries are instrumented.
 */
export function whyNoQueries(recording: PerformanceRecording): string | undefined {
  const { operations, queries, unseen, unfinished } = recording;
  if (queries.length > 0) return undefined;
  const notServed = whyNotServed(recording);
  const drivers = unseen.map(({ driver, advice }) => `  ${driver}: ${advice}`).join('\n');
  // Ignores the outgoing calls of the test itself to its server.
  const inside = operations.filter(({ type, root }) => type !== 'external' || root !== undefined);
  if (inside.length === 0) {
    const calls =
      operations.length === 0 ? '' : ` except ${count(operations.length, 'outgoing call', 'outgoing calls')}`;
    const running = unfinished.length === 0 ? '' : ` Still running: ${unfinished.join(', ')}.`;
    if (notServed !== undefined)
      return `No request, tracked method or query was recorded${calls}.${running} ${notServed}`;
    const called = [...new Set(operations.map(({ name }) => name))].slice(0, MAX_NAMED).join(', ');
    const elsewhere = called === '' ? '' : ` No server of this process received: ${called}.`;
    return `No request, tracked method or query was recorded${calls}.${elsewhere}${running} Check that the request is sent and awaited within recordPerformance, that its application imports PerformanceModule, and that app.init() or app.listen() was called.${drivers === '' ? '' : `\n\nQueries of these drivers are not recorded:\n\n${drivers}`}`;
  }
  if (notServed !== undefined) return notServed;
  if (drivers === '') return undefined;
  return `No query was recorded, but the application uses drivers whose queries are not recorded:\n\n${drivers}\n\nIf this test does not use them: recordPerformance(fn, { allowUnseen: [${unseen.map(({ driver }) => `'${driver}'`).join(', ')}] }).`;
}
