import type { Regression } from './regression.js';

/** The number of past regressions that are listed. */
const KEPT = 100;
/** Changes that began within this time are reported together. */
const TOGETHER_MS = 15 * 60_000;
const MAX_ALONGSIDE = 5;
/** The types that other operations wait for. */
const WORK: ReadonlySet<string> = new Set(['database', 'cache', 'external', 'messaging', 'rpc']);

/** The last 100 regressions that are over, and the list of all regressions. */
export class RegressionLog {
  private readonly over: Regression[] = [];

  add(regression: Regression): void {
    this.over.push(regression);
    if (this.over.length > KEPT) this.over.shift();
  }

  /** Open regressions, the latest first, then past ones. Each with the work that got worse at the same time. */
  list(open: readonly Regression[]): Regression[] {
    const all = [...open].sort((one, other) => other.since - one.since).concat([...this.over].reverse());
    return all.map((regression) => withWork(regression, all));
  }
}

function withWork(regression: Regression, all: readonly Regression[]): Regression {
  if (WORK.has(regression.type)) return regression;
  const alongside = all
    .filter((one) => WORK.has(one.type) && Math.abs(one.since - regression.since) <= TOGETHER_MS)
    .slice(0, MAX_ALONGSIDE)
    .map(({ type, name, metric, change, since }) => ({ type, name, metric, change, since }));
  if (alongside.length === 0) return regression;
  const names = alongside.map(({ name }) => name).join(', ');
  const explanation = `${regression.explanation} Also worse since then: ${names}.`;
  return { ...regression, alongside, explanation };
}
