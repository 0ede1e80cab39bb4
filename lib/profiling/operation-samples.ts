import { type ExecutionLog, type MarkReader, UNKNOWN } from './execution-log.js';
import type { SampleWindow } from './sample-window.js';

/** Whose code was running at a sample, with regard to one operation. */
export const OWN = 0;
export const OTHERS = 1;
export const UNCERTAIN = 2;
export const IDLE = 3;

/** The samples of an interval, attributed with regard to one operation. */
export interface OperationSamples {
  readonly from: number;
  readonly to: number;
  readonly windows: readonly SampleWindow[];
  /** By sample, in order of time: the index of its window, its index there, and its owner. */
  readonly window: readonly number[];
  readonly place: readonly number[];
  readonly owner: readonly number[];
  /** The number of samples by owner. */
  readonly counts: readonly [own: number, others: number, uncertain: number, idle: number];
}

/** An operation whose samples are requested. Times are on the clock of `performance.now()`. */
export interface Sampled {
  readonly from: number;
  readonly to: number;
  /** Its number in {@link ExecutionLog}; 0 if it started before spans were numbered. */
  readonly number: number;
  /** Whether no other request ran at the same time. */
  readonly alone: boolean;
  /** Whether it is a whole request rather than a part of one. */
  readonly whole: boolean;
}

const BY_MARK = -1;

/**
 * The owner of a sample in which code ran. Rows: what the {@link ExecutionLog} states. Columns: the operation is a whole
 * request that ran alone, a part of such a request, or it had concurrent requests. `BY_MARK`: the operation's own if the
 * mark names a span within it.
 */
const OWNERS = {
  /** The mark holds until the next one. */
  exact: { wholeRequest: BY_MARK, part: BY_MARK, concurrent: BY_MARK },
  /** The mark names a span, and the loop has not been idle since. */
  recent: { wholeRequest: OWN, part: BY_MARK, concurrent: BY_MARK },
  /** Nothing is stated: after the loop was idle, any code may run. */
  nothing: { wholeRequest: OWN, part: OWN, concurrent: UNCERTAIN },
  /** The operation has no number to compare with a mark. */
  unnumbered: { wholeRequest: OWN, part: UNCERTAIN, concurrent: UNCERTAIN },
} as const;

/** The samples within an operation's time, each once, with their owners. */
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
    // V8's names for time in which no code ran.
    const idle = functions.findIndex(({ name }) => name === '(idle)');
    const root = functions.findIndex(({ name }) => name === '(root)');
    for (let sample = 0; sample < sampleAt.length; sample++) {
      const at = sampleAt[sample] as number;
      // Windows overlap.
      if (at <= last || at < from) continue;
      if (at > to) break;
      last = at;
      const code = nodeFunction[sampleNode[sample] as number];
      let whose: number = IDLE;
      if (code === idle || code === root) idleAt = at;
      else {
        reader.seek(at);
        whose = ownerOf(operation, reader, idleAt, executionLog);
      }
      window.push(which);
      place.push(sample);
      owner.push(whose);
      (counts[whose] as number) += 1;
    }
  }
  return { from, to, windows, window, place, owner, counts };
}

function ownerOf(operation: Sampled, mark: MarkReader, idleAt: number, executionLog: ExecutionLog): number {
  const { number, alone, whole } = operation;
  const situation = alone ? (whole ? 'wholeRequest' : 'part') : 'concurrent';
  const owner = OWNERS[number === 0 ? 'unnumbered' : statementOf(mark, idleAt)][situation];
  if (owner !== BY_MARK) return owner;
  const isOwn = executionLog.isWithin(mark.number, number);
  if (isOwn === undefined) return UNCERTAIN;
  return isOwn ? OWN : OTHERS;
}

function statementOf(
  { exact, number, markedAt }: MarkReader,
  idleAt: number,
): 'exact' | 'recent' | 'nothing' {
  if (exact) return 'exact';
  return number !== UNKNOWN && number !== 0 && markedAt >= idleAt ? 'recent' : 'nothing';
}
