import type { OverviewSlowOperation } from '../overview.js';

/** Slow executions of one operation with one cause. */
export interface SlowGroup {
  readonly key: string;
  /** The newest first. */
  readonly slow: readonly OverviewSlowOperation[];
  readonly worst: OverviewSlowOperation;
}

/** Folds slow executions of one operation with one cause and outcome, in the order of their newest. */
export function slowGroups(slow: readonly OverviewSlowOperation[]): SlowGroup[] {
  const groups = new Map<string, OverviewSlowOperation[]>();
  for (const one of slow) {
    const key = `${one.type}\n${one.name}\n${one.cause}\n${one.error}`;
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [one]);
    else known.push(one);
  }
  return Array.from(groups, ([key, members]) => ({
    key,
    slow: members,
    worst: members.reduce((worst, one) => (one.durationMs > worst.durationMs ? one : worst)),
  }));
}
