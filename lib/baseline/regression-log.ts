import type { Regression } from './regression.js';

/** Regressions that are over and still listed. */
const KEPT = 100;
/** Changes that began so near to one another are taken for one. */
const TOGETHER_MS = 15 * 60_000;
const MOST_ALONGSIDE = 5;
/** What others wait for. */
const WORK: ReadonlySet<string> = new Set(['database', 'cache', 'external', 'messaging', 'rpc']);

/** The regressions that are over, and what is told of all of them together. Bounded: a hundred. */
export class RegressionLog {
  private readonly over: Regression[] = [];

  add(regression: Regression): void {
    this.over.push(regression);
    if (this.over.length > KEPT) this.over.shift();
  }

  /** Those that go on, the latest first, then those that are over. Each with the work that got worse with it. */
  list(open: readonly Regression[]): Regression[] {
    const all = [...open].sort((one, other) => other.since - one.since).concat([...this.over].reverse());
    return all.map((regression) => withWork(regression, all));
  }
}

function withWork(regression: Regression, all: readonly Regression[]): Regression {
  if (WORK.has(regression.type)) return regression;
  const alongside = all
    .filter((one) => WORK.has(one.type) && Math.abs(one.since - regression.since) <= TOGETHER_MS)
    .slice(0, MOST_ALONGSIDE)
    .map(({ type, name, metric, change, since }) => ({ type, name, metric, change, since }));
  if (alongside.length === 0) return regression;
  const names = alongside.map(({ name }) => name).join(', ');
  const explanation = `${regression.explanation} What got worse at the same time: ${names}.`;
  return { ...regression, alongside, explanation };
}
