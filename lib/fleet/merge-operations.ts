import { round } from '../text/round.js';
import { addFigures, newFigures, summaryOf } from './figures.js';
import type { FleetOperation } from './fleet-view.js';
import type { Figures, InstanceSummary } from './instance-summary.js';

/** Operations that are added up. Only instances with different names have more. */
const MAX_MERGED = 1000;
const MAX_LISTED = 100;
/** Versions that are shown side by side. */
export const MAX_VERSIONS = 8;

interface Pair {
  readonly minute: Figures;
  readonly lifetime: Figures;
}

interface Merged extends Pair {
  readonly type: string;
  readonly name: string;
  thresholdMs: number | undefined;
  excessMs: number;
  instances: number;
  readonly byVersion: Map<string | undefined, Pair>;
}

/**
 * The operations of several instances, added. Yields after each instance.
 * @param versions those that are distinguished: none if there is only one
 */
export function* mergingOperations(
  summaries: readonly InstanceSummary[],
  versions: readonly (string | undefined)[],
): Generator<void, FleetOperation[]> {
  const merged = new Map<string, Merged>();
  for (const { version, operations } of summaries) {
    for (const { type, name, thresholdMs, excessMs, minute, lifetime } of operations) {
      const key = `${type}\n${name}`;
      let sum = merged.get(key);
      if (sum === undefined) {
        if (merged.size >= MAX_MERGED) continue;
        sum = { type, name, thresholdMs, excessMs: 0, instances: 0, byVersion: new Map(), ...newPair() };
        merged.set(key, sum);
      }
      // During a roll-out, thresholds may differ.
      if (sum.thresholdMs !== thresholdMs) sum.thresholdMs = undefined;
      sum.excessMs += excessMs;
      sum.instances++;
      addPair(sum, { minute, lifetime });
      if (!versions.includes(version)) continue;
      const ofVersion = sum.byVersion.get(version) ?? newPair();
      sum.byVersion.set(version, ofVersion);
      addPair(ofVersion, { minute, lifetime });
    }
    yield;
  }
  const costly = [...merged.values()].sort(
    (a, b) => b.excessMs - a.excessMs || b.lifetime.totals.sum - a.lifetime.totals.sum,
  );
  const listed: FleetOperation[] = [];
  for (const operation of costly.slice(0, MAX_LISTED)) {
    listed.push(described(operation, versions));
    yield;
  }
  return listed;
}

function described(
  { type, name, thresholdMs, excessMs, instances, byVersion, ...pair }: Merged,
  versions: readonly (string | undefined)[],
): FleetOperation {
  return {
    ...{ type, name },
    ...(thresholdMs === undefined ? {} : { thresholdMs }),
    instances,
    ...summariesOf(pair),
    totalMs: round(pair.lifetime.totals.sum),
    excessMs: round(excessMs),
    ...(byVersion.size < 2
      ? {}
      : {
          versions: versions.flatMap((version) => {
            const ofVersion = byVersion.get(version);
            if (ofVersion === undefined) return [];
            return [{ ...(version === undefined ? {} : { version }), ...summariesOf(ofVersion) }];
          }),
        }),
  };
}

function newPair(): Pair {
  return { minute: newFigures(), lifetime: newFigures() };
}

function addPair(sum: Pair, added: Pair): void {
  addFigures(sum.minute, added.minute);
  addFigures(sum.lifetime, added.lifetime);
}

function summariesOf({ minute, lifetime }: Pair): Pick<FleetOperation, 'minute' | 'lifetime'> {
  return { minute: summaryOf(minute), lifetime: summaryOf(lifetime) };
}
