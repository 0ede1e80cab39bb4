import { afterEach, describe, expect, it } from '@jest/globals';
import { Scrapes } from '../../lib/metrics/scrape.js';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { resolveOptions } from '../../lib/monitor/resolve-options.js';
import { type Instance, isInstanceKey, thisInstance } from '../../lib/operation/instance.js';
import { joinRunning, MAX_RUNNING } from '../../lib/operation/running-instances.js';
import { serviceAttributes } from '../../lib/operation/service-options.js';
import { parseOpenMetrics } from '../endpoint/openmetrics-parser.js';

describe('the identity of an instance', () => {
  it('consists of the machine, the process and a random number, and is that of the process', () => {
    const instance = thisInstance('web-1');
    expect(instance).toEqual({
      id: expect.stringMatching(new RegExp(`^.+-${process.pid}-[0-9a-f]{12}$`)),
      key: instance.id,
      host: 'web-1',
      pid: process.pid,
      startedAt: Math.round(performance.timeOrigin),
    });
    expect(thisInstance('web-1').id).toBe(instance.id);
    expect(isInstanceKey(instance.key)).toBe(true);
  });

  it('is that of the environment, with the number of a worker, as all workers inherit it', () => {
    const given = { 'service.instance.id': 'shop/pod 7' };
    expect(thisInstance('web-1', {}, given)).toMatchObject({ id: 'shop/pod 7' });
    const worker = thisInstance('web-1', { NODE_APP_INSTANCE: '3' }, given);
    expect(worker).toMatchObject({ id: 'shop/pod 7-3', worker: '3' });
    expect(isInstanceKey(worker.key)).toBe(true);
    expect(thisInstance('web-1', { NODE_APP_INSTANCE: ' ' })).not.toHaveProperty('worker');
    expect(thisInstance('web-1', { NODE_APP_INSTANCE: 'x'.repeat(99) }).worker).toHaveLength(32);
  });

  it('is an attribute of the resource of spans and metrics', () => {
    const options = resolveOptions({}, { OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=a1' });
    expect(serviceAttributes(options)).toMatchObject({ 'service.instance.id': 'a1' });
    const worker = resolveOptions(
      {},
      { OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=a1', NODE_APP_INSTANCE: '0' },
    );
    expect(serviceAttributes(worker)).toMatchObject({ 'service.instance.id': 'a1-0' });
  });
});

describe('an application that starts beside others of its process', () => {
  const leaving: (() => void)[] = [];
  afterEach(() => {
    for (const leave of leaving.splice(0)) leave();
  });
  const join = (service = 'shop', given = 'pod 7'): Instance => {
    const instance = thisInstance('web-1', {}, { 'service.instance.id': given });
    leaving.push(joinRunning(instance, service));
    return instance;
  };

  it('has the number after the id and the key that the first one has as they are', () => {
    const { key } = thisInstance('web-1');
    expect([join(), join(), join()].map(({ id, key }) => [id, key])).toEqual([
      ['pod 7', key],
      ['pod 7.2', `${key}.2`],
      ['pod 7.3', `${key}.3`],
    ]);
    expect(isInstanceKey(`${key}.3`)).toBe(true);
  });

  it('has no number if the others are of another service, or have another id', () => {
    join();
    expect(join('cart').id).toBe('pod 7');
    expect(join('shop', 'pod 8').id).toBe('pod 8');
  });

  it('has the number of one that has ended', () => {
    join();
    join();
    leaving[0]?.();
    expect(join().id).toBe('pod 7');
    expect(join().id).toBe('pod 7.3');
  });

  it('has a random number beside more than a limit', () => {
    for (let application = 0; application < MAX_RUNNING; application++) join();
    const beyond = [join(), join(), join('cart')];
    for (const { id, key } of beyond) {
      expect(id).toMatch(/^pod 7\.[0-9a-f]{12}$/);
      expect(isInstanceKey(key)).toBe(true);
    }
    expect(new Set(beyond.map(({ id }) => id)).size).toBe(3);
    leaving[0]?.();
    expect(join().id).toBe('pod 7');
  });
});

describe('monitors of one service', () => {
  const closing: PerformanceMonitor[] = [];
  afterEach(async () => {
    for (const monitor of closing.splice(0)) await monitor.shutdown();
  });
  const options = () =>
    resolveOptions(
      { serviceName: 'shop', fleet: { enabled: false } },
      { OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=a1' },
    );
  const started = (): PerformanceMonitor => {
    const monitor = new PerformanceMonitor(options());
    closing.push(monitor);
    return monitor;
  };
  const idsOf = ({ options, metrics }: PerformanceMonitor): unknown[] => [
    options.instance.id,
    metrics.target['service.instance.id'],
  ];

  it('have different ids, in their metrics as well, as long as they run', async () => {
    const first = started();
    const second = started();
    expect(idsOf(first)).toEqual(['a1', 'a1']);
    expect(idsOf(second)).toEqual(['a1.2', 'a1.2']);
    await Promise.all([first.shutdown(), first.shutdown()]);
    const third = started();
    await first.shutdown();
    expect(idsOf(third)).toEqual(['a1', 'a1']);
    expect(idsOf(started())).toEqual(['a1.3', 'a1.3']);
    expect(idsOf(second)).toEqual(['a1.2', 'a1.2']);
  });

  it('count only once they start', () => {
    const created = new PerformanceMonitor(options(), false);
    expect(idsOf(started())).toEqual(['a1', 'a1']);
    created.start();
    created.start();
    closing.push(created);
    expect(idsOf(created)).toEqual(['a1.2', 'a1.2']);
  });
});

describe('a scrape', () => {
  const scraped = async (env: Record<string, string>): Promise<string> => {
    const monitor = new PerformanceMonitor(resolveOptions({ serviceName: 'shop' }, env), false);
    monitor.sink.record({ type: 'job', name: 'rebuild', durationMs: 5, thresholdMs: 1, error: false });
    const pieces = await new Scrapes(monitor.metrics).get('openmetrics');
    return Buffer.concat([...pieces]).toString();
  };

  it('names the worker in every series, as workers answer on one port in turn', async () => {
    const text = await scraped({
      NODE_APP_INSTANCE: '3',
      OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=a1',
    });
    const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(series.length).toBeGreaterThan(50);
    expect(series.filter((line) => !line.includes('service_instance_id="a1-3"'))).toEqual([]);
    expect(text).toContain('performance_operation_duration_seconds_count{service_instance_id="a1-3",');
    expect(() => parseOpenMetrics(text)).not.toThrow();
  });

  it('names any other process in its target only', async () => {
    const text = await scraped({});
    expect(text.match(/service_instance_id=/g)).toHaveLength(1);
  });
});
