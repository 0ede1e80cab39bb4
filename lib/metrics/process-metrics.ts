import { performance } from 'node:perf_hooks';
import { BUCKETS } from '../inference/latency-histogram.js';
import type { GcPauses } from '../process/gc-pauses.js';
import type { CurrentResources, ResourceSampler } from '../process/resource-sampler.js';
import type { HistogramPoint, Metric, NumberPoint } from './metric.js';

/** Metrics of the process and its runtime, by the semantic conventions for V8, Node.js and processes. */
export function processMetrics(resources: ResourceSampler): Metric[] {
  const since = performance.timeOrigin;
  let taken: CurrentResources | undefined;
  // Read once for all metrics.
  const current = (): CurrentResources => {
    taken ??= resources.current();
    return taken;
  };
  const numbers = (
    kind: 'counter' | 'sum' | 'gauge',
    name: string,
    unit: string,
    description: string,
    points: () => Iterable<NumberPoint>,
  ): Metric => ({ kind, name, unit, description, since, points });
  return [
    numbers(
      'gauge',
      'nodejs.eventloop.utilization',
      '1',
      'Utilization of the event loop within the last second.',
      () => one(current().eventLoop.utilization),
    ),
    numbers(
      'gauge',
      'nodejs.eventloop.delay.max',
      's',
      'Longest delay of the event loop within the last second.',
      () => one(seconds(current().eventLoop.delayMaxMs)),
    ),
    numbers('sum', 'v8js.memory.heap.used', 'By', 'Used heap.', () => one(current().memory.heapUsed)),
    numbers('sum', 'v8js.memory.heap.limit', 'By', 'Heap limit.', () => one(current().memory.heapLimit)),
    {
      kind: 'histogram',
      name: 'v8js.gc.duration',
      unit: 's',
      description: 'Pauses of the garbage collector.',
      since,
      points: () => pauses(resources.gc),
    },
    numbers('counter', 'process.cpu.time', 's', 'CPU time of the process.', () => [
      { attributes: { 'cpu.mode': 'user' }, value: current().cpu.user / 1e6 },
      { attributes: { 'cpu.mode': 'system' }, value: current().cpu.system / 1e6 },
    ]),
    numbers('sum', 'process.memory.usage', 'By', 'Resident memory of the process.', () =>
      one(current().memory.rss),
    ),
  ];
}

function one(value: number | undefined): NumberPoint[] {
  return value === undefined ? [] : [{ attributes: {}, value }];
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}

function* pauses({ byType }: GcPauses): Iterable<HistogramPoint> {
  const counts = new Float64Array(BUCKETS);
  for (const [type, { histogram, count, sum, min, max }] of byType) {
    counts.fill(0);
    histogram.addTo(counts);
    yield {
      attributes: { 'v8js.gc.type': type },
      count,
      sumMs: sum,
      minMs: min,
      maxMs: max,
      buckets: counts,
    };
  }
}
