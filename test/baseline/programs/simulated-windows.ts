import type { OperationWindow } from '../../../lib/statistics/operation-window.js';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** A midnight, UTC. */
export const START = 20_000 * DAY;

/** Random numbers from a seed (mulberry32). */
export function randomOf(seed: number): { uniform(): number; normal(): number } {
  let state = seed | 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

/** What a simulated operation is like at a moment. */
export interface Behaviour {
  medianMs?: number;
  /** The spread of the logarithm. */
  sigma?: number;
  /** The share of a mode that is ten times as slow. */
  slowShare?: number;
  /** Factor of the slowest 5 %. */
  tail?: number;
  errorRate?: number;
  queries?: number;
  partsMs?: readonly number[];
}

/** A window of so many latencies, drawn one by one. */
export function windowOf(
  random: ReturnType<typeof randomOf>,
  startedAt: number,
  lengthMs: number,
  count: number,
  {
    medianMs = 100,
    sigma = 0.5,
    slowShare = 0,
    tail = 1,
    errorRate = 0,
    queries = 4,
    partsMs,
  }: Behaviour = {},
): OperationWindow {
  const [border, p99] = [Math.exp(1.645 * sigma), 100 * Math.exp(2.326 * 0.5)];
  let errors = 0;
  const level = Math.exp(0.04 * random.normal());
  const values = Array.from({ length: count }, () => {
    const shape = Math.exp(sigma * random.normal());
    if (random.uniform() < errorRate) errors++;
    const slow = random.uniform() < slowShare ? 10 : 1;
    return medianMs * level * shape * slow * (shape > border ? tail : 1);
  }).sort((a, b) => a - b);
  const rank = (p: number): number => values[Math.max(0, Math.ceil(p * count) - 1)] as number;
  const mean = (numbers: readonly number[]): number => numbers.reduce((sum, value) => sum + value, 0) / count;
  return {
    startedAt,
    endedAt: startedAt + lengthMs,
    count,
    errors,
    meanMs: mean(values),
    meanLog: mean(values.map(Math.log)),
    p50Ms: rank(0.5),
    p90Ms: rank(0.9),
    p99Ms: rank(0.99),
    tailMs: Math.exp(
      mean(values.slice(-Math.ceil(count / 20)).map(Math.log)) * (count / Math.ceil(count / 20)),
    ),
    overP99: values.filter((value) => value > p99).length,
    queries,
    ...(partsMs === undefined ? {} : { partsMs }),
  };
}
