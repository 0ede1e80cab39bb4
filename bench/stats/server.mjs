// The measured server: an application with 1,000 operations that have run for more than a day. Sends its address, and at
// each message the longest block of its event loop since the last one, and its CPU time.
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

const HOUR = 3_600_000;
const PAST_MS = 26 * HOUR;
const OPERATIONS = 1000;
const RESOLUTION_MS = 1;

// The clock of the monitor, which seems to have run for a day.
const clock = performance.now.bind(performance);
performance.now = () => clock() + PAST_MS;

const { PerformanceModule, PerformanceMonitor } = await import('nestjs-performance');
const { listen } = await import('../support/app.mjs');
const { app, url } = await listen([
  PerformanceModule.forRoot({
    detection: { maxOperations: 2 * OPERATIONS },
    baseline: { enabled: false },
    alerts: { enabled: false },
  }),
]);
const monitor = app.get(PerformanceMonitor);

/** Latencies with a tail, and with a different median for each operation. */
function fill(now) {
  for (let operation = 0; operation < OPERATIONS; operation++) {
    const middle = 2 + (operation % 50);
    for (let count = 0; count < 8; count++) {
      monitor.record(
        {
          type: ['http', 'database', 'external', 'cache'][operation % 4],
          name: `GET /tenants/:tenant/resources/${operation}`,
          durationMs: middle * Math.exp(1.5 * (Math.random() + Math.random() - 0.8)),
          thresholdMs: undefined,
          error: Math.random() < 0.01,
        },
        now,
      );
    }
  }
}
const end = performance.now();
for (let ago = PAST_MS - HOUR; ago > HOUR; ago -= HOUR / 6) fill(end - ago);
for (let ago = HOUR; ago >= 0; ago -= 60_000) fill(end - ago);
for (let ago = 50_000; ago >= 0; ago -= 10_000) fill(end - ago);

let cpuUs = 0;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delay.enable();
process.on('message', () => {
  const held = (ns) => Math.max(0, ns / 1e6 - RESOLUTION_MS);
  const { user, system } = process.cpuUsage();
  process.send({ holdMs: held(delay.max), cpuMs: (user + system - cpuUs) / 1000 });
  cpuUs = user + system;
  delay.reset();
});
process.send(new URL(url).origin);
