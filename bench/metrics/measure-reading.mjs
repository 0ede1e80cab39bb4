// Scrapes and exports the metrics of 1,000 operations in its own process, and sends the CPU time, in total and between two
// turns of the event loop.
import { resourceFromAttributes } from '@opentelemetry/resources';
import * as sdk from '@opentelemetry/sdk-metrics';
import { ExportHealth } from '../../dist/modules/metrics/export-health.js';
import { MetricExport } from '../../dist/modules/metrics/metric-export.js';
import { Scrapes } from '../../dist/modules/metrics/scrape.js';
import { PerformanceMonitor } from '../../dist/modules/monitor/performance-monitor.js';
import { metricExporter } from '../../dist/modules/tracing/otlp-exporters.js';
import { median } from '../support/figures.mjs';

const [endpoint] = process.argv.slice(2);
const TIMES = 10;

const monitor = new PerformanceMonitor({ alerts: { enabled: false } });
for (let index = 0; index < 400_000; index++) {
  const route = index % 1000;
  monitor.record({
    type: 'http',
    name: `GET /api/v1/resource-${route}/:id`,
    durationMs: 5 * Math.exp(0.6 * (Math.random() * 4 - 2)),
    thresholdMs: 1000,
    error: false,
    span: { attributes: { 'url.scheme': 'http' }, spanContext: () => ({ traceId: '', spanId: '' }) },
    http: { statusCode: route % 10 === 0 ? 404 : 200, evidence: () => ({}) },
  });
}

/** Of all threads: the process is started with one for the collector and the code. */
function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** The CPU time of a function, and the maximum between two turns of the event loop. */
async function watched(work) {
  let last = cpuMs();
  let holdMs = 0;
  let over = false;
  const turn = () => {
    const now = cpuMs();
    holdMs = Math.max(holdMs, now - last);
    last = now;
    if (!over) setImmediate(turn);
  };
  setImmediate(turn);
  const began = cpuMs();
  const result = await work();
  const ms = cpuMs() - began;
  turn();
  over = true;
  return { ms, holdMs, result };
}

async function times(work) {
  await work();
  const all = [];
  for (let i = 0; i < TIMES; i++) all.push(await watched(work));
  return {
    ms: median(all.map(({ ms }) => ms)),
    holdMs: median(all.map(({ holdMs }) => holdMs)),
    worstMs: Math.max(...all.map(({ holdMs }) => holdMs)),
    result: all[0].result,
  };
}

const scrapes = new Scrapes(monitor.metrics);
const scrape = await times(() => scrapes.get('openmetrics'));
const log = { warn: process.stderr.write.bind(process.stderr), log() {} };
const exporting = new MetricExport(monitor.metrics, monitor.metrics.options, {
  sdk,
  exporter: await metricExporter(
    { protocol: 'grpc', url: endpoint, shown: endpoint, origin: 'the benchmark' },
    log,
  ),
  resource: resourceFromAttributes(monitor.metrics.target),
  health: new ExportHealth('Metrics', '', endpoint, log),
  onRefused() {},
});
const exported = await times(() => exporting.export());
process.send({
  scrapeBytes: scrape.result.reduce((sum, { length }) => sum + length, 0),
  scrapeMs: scrape.ms,
  scrapeHoldMs: scrape.holdMs,
  scrapeWorstMs: scrape.worstMs,
  exportMs: exported.ms,
  exportHoldMs: exported.holdMs,
  exportWorstMs: exported.worstMs,
});
await exporting.shutdown();
await monitor.shutdown();
