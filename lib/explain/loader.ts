import type { CallSite } from '../code/call-site.js';
import type { Repetition } from './repetition.js';

/** Repeated work of one line of the application's code: a query, its variants, and those of its relations. */
export interface Loader {
  /** The one that was started first. */
  readonly main: Repetition;
  readonly others: readonly Repetition[];
  readonly callSite: CallSite | undefined;
  /** Milliseconds that all of it took. */
  readonly totalMs: number;
  /** The highest count, and the rows of all of them where they are known. */
  readonly repetitions: number;
  readonly rows: number;
}

/**
 * Puts together the repetitions within one request that belong to one loader: those of the same line, and, where no lines
 * are known, those of one type that were executed alternately and equally often.
 * @param locate finds the line of a repetition
 */
export function loadersOf(
  repetitions: readonly Repetition[],
  locate: (repetition: Repetition) => CallSite | undefined,
): Loader[] {
  const loaders: Repetition[][] = [];
  const inOrder = [...repetitions].sort((a, b) => a.group.firstStart - b.group.firstStart);
  for (const repetition of inOrder) {
    const known = loaders.find(
      ([first]) =>
        isSameLine(first as Repetition, repetition) ?? isAlternating(first as Repetition, repetition),
    );
    if (known === undefined) loaders.push([repetition]);
    else known.push(repetition);
  }
  return loaders.map((members) => loaderOf(members, locate)).sort((a, b) => b.totalMs - a.totalMs);
}

/**
 * Whether two repetitions were started by the same line, as far as their stacks show; undefined without a stack. Callers
 * count, too: the line itself may be that of a function through which all queries pass.
 */
function isSameLine(one: Repetition, other: Repetition): boolean | undefined {
  const [a, b] = [one.frames ?? [], other.frames ?? []];
  if (a.length === 0 || b.length === 0) return undefined;
  return a.slice(0, b.length).every(({ url, line }, at) => url === b[at]?.url && line === b[at]?.line);
}

function loaderOf(
  members: readonly Repetition[],
  locate: (repetition: Repetition) => CallSite | undefined,
): Loader {
  // A relation may be the same for all rows: what is to be loaded at once is the query that differs.
  const main = members.find(({ type }) => type === 'n_plus_one') ?? (members[0] as Repetition);
  const others = members.filter((one) => one !== main);
  const sum = members.reduce((ms, { totalMs }) => ms + totalMs, 0);
  const from = Math.min(...members.map(({ group }) => group.firstStart));
  const to = Math.max(...members.map(({ group }) => group.lastEnd));
  return {
    main,
    others,
    callSite: locate(main) ?? others.map(locate).find((callSite) => callSite !== undefined),
    totalMs: others.length === 0 ? sum : Math.min(sum, to - from),
    repetitions: Math.max(...members.map(({ count }) => count)),
    rows: members.reduce((rows, { group }) => rows + group.rows, 0),
  };
}

/** Whether two repetitions took turns, as a query and those of its relations do. */
function isAlternating(one: Repetition, other: Repetition): boolean {
  const [a, b] = [one.group, other.group];
  if (one.type !== other.type || one.count !== other.count || a.work !== b.work) return false;
  if (a.key.effect !== b.key.effect) return false;
  // The second one begins before the first repetition of the first one, and goes on after the end of the last one.
  return b.firstStart < a.lastEnd && b.lastEnd > a.firstStart && overlap(a, b) >= 0.5;
}

interface Interval {
  readonly firstStart: number;
  readonly lastEnd: number;
}

/** The share of the shorter interval that both have in common. */
function overlap(a: Interval, b: Interval): number {
  const common = Math.min(a.lastEnd, b.lastEnd) - Math.max(a.firstStart, b.firstStart);
  const shorter = Math.min(a.lastEnd - a.firstStart, b.lastEnd - b.firstStart);
  return shorter > 0 ? common / shorter : 0;
}
