// Counts incoming requests of one variant in its own process, and sends CPU ns per request.
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { DurationInstruments } from '../../dist/modules/metrics/duration-instruments.js';
import { PerformanceMonitor } from '../../dist/modules/monitor/performance-monitor.js';
import { median } from '../support/figures.mjs';

class IdleReader extends MetricReader {
  async onForceFlush() {}
  async onShutdown() {}
}

const [variant] = process.argv.slice(2);
const BATCHES = 15;
const REQUESTS = 200_000;

const monitor = new PerformanceMonitor({
  alerts: { enabled: false },
  baseline: { enabled: false },
  metrics: { enabled: variant !== 'off' },
});
if (variant === 'instruments') {
  const provider = new MeterProvider({ readers: [new IdleReader()] });
  monitor.metrics.instruments = new DurationInstruments(provider.getMeter('bench'), 1000);
}
const names = Array.from({ length: 200 }, (_, index) => `GET /api/resource-${index}/:id`);
const latencies = Float64Array.from({ length: 1 << 14 }, () => 5 * Math.exp(0.6 * (Math.random() * 4 - 2)));
const requests = names.flatMap((name) =>
  [200, 404].map((statusCode) => ({
    type: 'http',
    name,
    durationMs: 0,
    thresholdMs: 100_000,
    error: false,
    span: {
      attributes: { 'http.request.method': 'GET', 'url.path': '/a', 'url.scheme': 'http' },
      instrumentationScope: { name: 'nestjs-performance' },
    },
    http: { statusCode, evidence: () => ({}) },
  })),
);

let counted = 0;
function batch() {
  const start = process.cpuUsage();
  for (let i = 0; i < REQUESTS; i++) {
    const request = requests[++counted % requests.length];
    request.durationMs = latencies[counted & 16383];
    monitor.record(request);
  }
  const { user, system } = process.cpuUsage(start);
  return ((user + system) * 1000) / REQUESTS;
}
batch();
const ns = Array.from({ length: BATCHES }, batch);
process.send(median(ns));
await monitor.shutdown();
