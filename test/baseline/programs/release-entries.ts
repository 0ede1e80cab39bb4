import type { BaselineEntry } from '../../../lib/baseline/baseline-snapshot.js';
import { OperationPeriods } from '../../../lib/baseline/operation-periods.js';
import { PARTS } from '../../../lib/statistics/operation-window.js';
import { type Behaviour, MINUTE, randomOf, windowOf } from './simulated-windows.js';
import { entry } from './snapshots.js';

/** How an operation behaves over some minutes. */
export interface ReleaseBehaviour extends Behaviour {
  readonly type?: string;
  readonly startedAt: number;
  readonly minutes: number;
  readonly perMinute?: number;
  /** The length of a window in minutes. */
  readonly every?: number;
  readonly cpuMs?: number;
  readonly seed?: number;
}

/** An operation with the periods of windows of a minute. */
export function releaseEntry(
  name: string,
  {
    type = 'http',
    startedAt,
    minutes,
    perMinute = 30,
    every = 1,
    cpuMs = 20,
    seed = 1,
    ...behaviour
  }: ReleaseBehaviour,
): BaselineEntry {
  const random = randomOf(seed);
  const periods = new OperationPeriods();
  for (let minute = 0; minute < minutes; minute += every) {
    const partsMs = PARTS.map((part) => (part === 'self_busy' ? cpuMs * (0.9 + 0.2 * random.uniform()) : 0));
    const given = { errorRate: 0.002, partsMs, ...behaviour };
    periods.add(
      windowOf(random, startedAt + minute * MINUTE, every * MINUTE, Math.round(every * perMinute), given),
    );
  }
  return { ...entry(name, behaviour.medianMs ?? 100, minutes * perMinute), type, periods: periods.toBytes() };
}

/** The periods of both, one after the other. */
export function joined(one: BaselineEntry, other: BaselineEntry): BaselineEntry {
  const periods = OperationPeriods.fromBytes(one.periods as Uint8Array);
  periods.merge(OperationPeriods.fromBytes(other.periods as Uint8Array));
  return { ...one, periods: periods.toBytes() };
}
