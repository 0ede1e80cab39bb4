import { types } from 'node:util';
import { formatValue } from '../validation/options-error.js';
import type { PerformanceRecording } from './recording.js';

/** What Jest and Vitest tell a matcher. */
export interface MatcherThis {
  readonly isNot?: boolean;
}

/** What a matcher tells Jest and Vitest. */
export interface MatcherResult {
  pass: boolean;
  message(): string;
}

/** The verdict on a recording; the message is made when it is needed. */
export function verdict(
  self: MatcherThis,
  call: string,
  recording: PerformanceRecording,
  pass: boolean,
  explain: () => string,
): MatcherResult {
  return { pass, message: () => `${title(self, call)}\n\n${explain()}${unfinishedNote(recording)}` };
}

/** A verdict that fails, with `.not` as well: there was nothing to judge. */
export function noVerdict(self: MatcherThis, call: string, why: string): MatcherResult {
  return { pass: self.isNot === true, message: () => `${title(self, call)}\n\n${why}` };
}

/** @throws TypeError for what is no recording */
export function recordingOf(matcher: string, received: unknown): PerformanceRecording {
  const { operations, queries, requests } = (received ?? {}) as Partial<PerformanceRecording>;
  if (Array.isArray(operations) && Array.isArray(queries) && Array.isArray(requests))
    return received as PerformanceRecording;
  const given = types.isPromise(received) ? 'a promise' : formatValue(received);
  throw new TypeError(
    `${matcher}: expect() was given ${given}, which is not allowed: give a recording, expect(await recordPerformance(() => …))`,
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
    : `\n\nStill running when the recording ended, and not counted: ${unfinished.join(', ')}.`;
}
