import { describe, expect, it } from '@jest/globals';
import { Scrapes } from '../../lib/metrics/scrape.js';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { resolveOptions } from '../../lib/monitor/resolve-options.js';
import { isInstanceKey, thisInstance } from '../../lib/operation/instance.js';
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
