import { performance } from 'node:perf_hooks';
import type { Overhead, OverheadStatus } from '../overhead/overhead.js';
import { SHEDDABLE } from '../overhead/sheddable.js';
import type { Metric, NumberPoint } from './metric.js';

/** Metrics of what this package itself costs. */
export function overheadMetrics(overhead: Overhead): Metric[] {
  const since = performance.timeOrigin;
  let taken: OverheadStatus | undefined;
  // Read once for all metrics.
  const status = (): OverheadStatus => {
    taken ??= overhead.status;
    return taken;
  };
  return [
    {
      kind: 'counter',
      name: 'performance.overhead.cpu.time',
      unit: 's',
      description: 'CPU time of this package, by part.',
      since,
      points: () => byPart([...overhead.totals].map(([part, ms]) => [part, ms / 1000])),
    },
    {
      kind: 'gauge',
      name: 'performance.overhead.cpu.utilization',
      unit: '1',
      description: 'Share of one core that this package took within overhead.windowSeconds.',
      since,
      points: () => one(status().cpuPercent, 0.01),
    },
    {
      kind: 'gauge',
      name: 'performance.overhead.request.cpu.time',
      unit: 's',
      description: 'CPU time of this package for each request within overhead.windowSeconds.',
      since,
      points: () => one(status().microsecondsPerRequest, 1e-6),
    },
    {
      kind: 'sum',
      name: 'performance.overhead.memory.usage',
      unit: 'By',
      description: 'Memory that this package holds, by part.',
      since,
      points: () => byPart(Object.entries(status().memory.byPart).map(([part, { bytes }]) => [part, bytes])),
    },
    {
      kind: 'gauge',
      name: 'performance.overhead.paused',
      unit: '',
      description: '1 while a part pauses because of overhead.maxCpuPercent.',
      since,
      points: () => byPart(SHEDDABLE.map((part) => [part, status().shed.includes(part) ? 1 : 0])),
    },
  ];
}

function byPart(values: readonly (readonly [string, number])[]): NumberPoint[] {
  return values.map(([part, value]) => ({ attributes: { 'performance.overhead.part': part }, value }));
}

function one(value: number | undefined, unit: number): NumberPoint[] {
  return value === undefined ? [] : [{ attributes: {}, value: value * unit }];
}
