// Takes a heap snapshot while requests run, and blocks the loop itself when it is asked to.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createApplication,
  PerformanceHealthIndicator,
  PerformanceMonitorService,
  request,
  say,
  spin,
} from './application.mjs';

const [, , how] = process.argv;
const kept = Array.from({ length: 15_000 }, (_, i) => ({ i, text: `row ${i}` }));
const app = await createApplication({
  httpThresholdMs: 250,
  baseline: { enabled: false },
  alerts: { enabled: false },
  detection: { eventLoopBlock: { limitMs: 100 } },
  profiling: { directory: `${process.env.FOLDER}/profiles` },
});
await app.listen(0, '127.0.0.1');
const url = await app.getUrl();
const service = app.get(PerformanceMonitorService);
const health = app.get(PerformanceHealthIndicator);
await sleep(1500);

/** A request that is being served while the snapshot blocks the loop. */
const served = request(`${url}/slow/50`);
await sleep(25);
const startedAt = performance.now();
const capture = service.captureHeapSnapshot();
const statuses = new Set();
const watching = (async () => {
  for (let i = 0; i < 15; i++) {
    const { performance: result } = await health.isHealthy('performance', {
      eventLoopDelayMs: 200,
      slowPercentage: 5,
      minCount: 1,
    });
    statuses.add(JSON.stringify([result.status, result.exceeded ?? []]));
    await sleep(100);
  }
})();
await capture;
const captureMs = performance.now() - startedAt;
await served;
await watching;
if (how === 'after') {
  spin(500);
  await sleep(200);
}
const stats = service.getStats({ operations: 100 });
say({
  captureMs,
  kept: kept.length,
  statuses: [...statuses].map((text) => JSON.parse(text)),
  findings: service.getFindings().map(({ type, route, worstMs, count, callSite, explanation }) => ({
    type,
    route,
    worstMs,
    count,
    callSite,
    explanation,
  })),
  slow: service
    .getSlowOperations()
    .map(({ name, durationMs, cause, explanation }) => ({ name, durationMs, cause, explanation })),
  longestMs: Math.max(...stats.operations.map(({ lifetime, minute }) => (lifetime ?? minute)?.maxMs ?? 0)),
});
await app.close();
