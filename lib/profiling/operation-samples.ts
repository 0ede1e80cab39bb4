import { type ExecutionLog, UNKNOWN } from './execution-log.js';
import type { SampleWindow } from './sample-window.js';

/** Whose code a sample caught. */
export const OWN = 0;
export const OTHERS = 1;
export const NOT_KNOWN = 2;
export const IDLE = 3;

/** The samples of an interval, and whose they are with regard to one operation. */
export interface OperationSamples {
  readonly from: number;
  readonly to: number;
  readonly windows: readonly SampleWindow[];
  /** By sample, in the order of time: its window, its place there, and whose it is. */
  readonly window: readonly number[];
  readonly place: readonly number[];
  readonly owner: readonly number[];
  /** How many there are of each owner. */
  readonly counts: readonly [own: number, others: number, notKnown: number, idle: number];
}

/** An operation, as its samples are looked for. Times are on the clock of `performance.now()`. */
export interface Sampled {
  readonly from: number;
  readonly to: number;
  /** Its number in {@link ExecutionLog}, 0 where it has none. */
  readonly number: number;
  /** No other request ran meanwhile. */
  readonly alone: boolean;
  /** It is the whole of a request, and no part of one. */
  readonly whole: boolean;
}

/** The samples within an operation's time, each once, and which of them are its own. */
export function samplesOf(
  windows: readonly SampleWindow[],
  operation: Sampled,
  executionLog: ExecutionLog,
): OperationSamples {
  const { from, to } = operation;
  const window: number[] = [];
  const place: number[] = [];
  const owner: number[] = [];
  const counts: [number, number, number, number] = [0, 0, 0, 0];
  const reader = executionLog.reader(from);
  let last = Number.NEGATIVE_INFINITY;
  let idleAt = Number.NEGATIVE_INFINITY;
  for (const [which, { functions, nodeFunction, sampleNode, sampleAt }] of windows.entries()) {
    // What V8 calls the time in which no code ran.
    const idle = functions.findIndex(({ name }) => name === '(idle)');
    const root = functions.findIndex(({ name }) => name === '(root)');
    for (let sample = 0; sample < sampleAt.length; sample++) {
      const at = sampleAt[sample] as number;
      // Windows overlap.
      if (at <= last || at < from) continue;
      if (at > to) break;
      last = at;
      const code = nodeFunction[sampleNode[sample] as number];
      let whose = IDLE;
      if (code === idle || code === root) idleAt = at;
      else {
        reader.seek(at);
        whose = whoseIs(reader, operation, reader.at < idleAt, executionLog);
      }
      window.push(which);
      place.push(sample);
      owner.push(whose);
      (counts[whose] as number) += 1;
    }
  }
  return { from, to, windows, window, place, owner, counts };
}

function whoseIs(
  { who, exact }: { readonly who: number; readonly exact: boolean },
  { number, alone, whole }: Sampled,
  rested: boolean,
  executionLog: ExecutionLog,
): number {
  // It began before anybody noticed spans.
  if (number === 0) return alone && whole ? OWN : NOT_KNOWN;
  if (exact) return ownerOf(executionLog.isWithin(who, number));
  // After a rest another piece of code runs, and nobody has said whose.
  const known = who !== UNKNOWN && who !== 0 && !rested;
  if (alone && (whole || !known)) return OWN;
  if (!known) return NOT_KNOWN;
  return ownerOf(executionLog.isWithin(who, number));
}

function ownerOf(own: boolean | undefined): number {
  if (own === undefined) return NOT_KNOWN;
  return own ? OWN : OTHERS;
}
