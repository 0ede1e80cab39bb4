import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { exposition, prometheusName } from '../../lib/metrics/exposition.js';
import type { Metric } from '../../lib/metrics/metric.js';
import { Scrapes } from '../../lib/metrics/scrape.js';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { parseOpenMetrics } from '../endpoint/openmetrics-parser.js';

function gauge(points: { attributes: Record<string, string>; value: number }[]): Metric {
  return {
    kind: 'gauge',
    name: 'some.thing',
    unit: '',
    description: 'A line\nand "another" \\.',
    since: 0,
    points: () => points,
  };
}

describe('the name for Prometheus', () => {
  it.each([
    ['http.server.request.duration', 's', 'histogram', 'http_server_request_duration_seconds', 'seconds'],
    ['v8js.memory.heap.used', 'By', 'sum', 'v8js_memory_heap_used_bytes', 'bytes'],
    ['performance.baseline.ratio', '1', 'gauge', 'performance_baseline_ratio', 'ratio'],
    ['nodejs.eventloop.utilization', '1', 'gauge', 'nodejs_eventloop_utilization_ratio', 'ratio'],
    ['performance.slow.operations', '{operation}', 'counter', 'performance_slow_operations', undefined],
    ['performance.slo.burn_rate', '', 'gauge', 'performance_slo_burn_rate', undefined],
  ] as const)('of %s in %s', (name, unit, kind, family, suffix) => {
    expect(prometheusName({ name, unit, kind })).toEqual({ family, unit: suffix });
  });
});

describe('the text of a scrape', () => {
  it('gives labels back whatever is in them', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const metric = gauge([{ attributes: { 'a.label': text }, value: 1 }]);
        const parsed = parseOpenMetrics([...exposition([metric], {}, 'openmetrics')].join(''));
        expect(parsed.value('some_thing', { a_label: text })).toBe(1);
      }),
    );
  });

  it('has a description on one line', () => {
    const text = [...exposition([gauge([])], {}, 'text')].join('');
    expect(text).toContain('# HELP some_thing A line\\nand \\"another\\" \\\\.\n');
  });

  it('writes every number as the format has it', () => {
    const values = [0, -1.5, 1e21, 1e-7, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];
    const points = values.map((value, index) => ({ attributes: { i: String(index) }, value }));
    const text = [...exposition([gauge(points)], {}, 'text')].join('');
    expect(text.match(/^some_thing.*$/gm)?.map((line) => line.split(' ')[1])).toEqual([
      '0',
      '-1.5',
      '1e+21',
      '1e-7',
      '+Inf',
      '-Inf',
      'NaN',
    ]);
  });
});

describe('scrapes', () => {
  const filled = (operations: number): PerformanceMonitor => {
    const monitor = new PerformanceMonitor({ alerts: { enabled: false } });
    for (let index = 0; index < operations * 20; index++) {
      const name = `operation-${index % operations}`;
      monitor.record({ type: 'job', name, durationMs: index % 300, thresholdMs: undefined, error: false });
    }
    return monitor;
  };

  it('let others run meanwhile', async () => {
    const monitor = filled(1000);
    let turns = 0;
    let over = false;
    const turn = (): void => {
      turns++;
      if (!over) setImmediate(turn);
    };
    setImmediate(turn);
    const pieces = await new Scrapes(monitor.metrics).get('openmetrics');
    over = true;
    expect(turns).toBeGreaterThan(3);
    const { samples } = parseOpenMetrics(pieces.join(''));
    expect(
      samples.filter(({ name }) => name === 'performance_operation_duration_seconds_count'),
    ).toHaveLength(1000);
    await monitor.shutdown();
  });

  it('that come at the same time share one, for each format', async () => {
    const monitor = filled(300);
    const scrapes = new Scrapes(monitor.metrics);
    const [one, other, text] = await Promise.all([
      scrapes.get('openmetrics'),
      scrapes.get('openmetrics'),
      scrapes.get('text'),
    ]);
    expect(one).toBe(other);
    expect(text).not.toEqual(one);
    expect(await scrapes.get('openmetrics')).not.toBe(one);
    await monitor.shutdown();
  });

  it('go on after one that failed', async () => {
    const monitor = filled(1);
    const { statistics } = (monitor as unknown as { parts: { statistics: { all(): unknown } } }).parts;
    const { all } = statistics;
    statistics.all = () => {
      throw new Error('no');
    };
    const scrapes = new Scrapes(monitor.metrics);
    await expect(scrapes.get('text')).rejects.toThrow('no');
    statistics.all = all;
    expect((await scrapes.get('text')).join('')).toContain('operation-0');
    await monitor.shutdown();
  });
});
