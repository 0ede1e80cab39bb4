// One fault, named by the first argument, in an application that has to go on and to end by itself.
import cluster from 'node:cluster';
import { closeSync, openSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { SpanKind, trace } from '@opentelemetry/api';
import { createApplication, PerformanceMonitorService, request, say, spin } from './application.mjs';

const [, , fault] = process.argv;
const HOSTILE = [
  '\u0000',
  '__proto__',
  'constructor',
  'x'.repeat(2 ** 20),
  '\u202eevil',
  '\ud800',
  '',
  ' ',
  '<script>',
  '😀'.repeat(5000),
];
const counted = () => ['uncaughtException', 'unhandledRejection'].map((name) => process.listenerCount(name));
const before = counted();
const options = {
  httpThresholdMs: 100,
  baseline: { directory: `${process.env.FOLDER}/baselines` },
  alerts: { intervalMs: 100 },
  enableProfiling: true,
  profiling: { directory: `${process.env.FOLDER}/profiles`, sampler: 'inspector' },
};

async function start() {
  const app = await createApplication(options);
  await app.listen(0, '127.0.0.1');
  return { app, url: await app.getUrl(), service: app.get(PerformanceMonitorService) };
}

const tracer = trace.getTracer('faults');
const FAULTS = {
  async 'many-children'() {
    await tracer.startActiveSpan('root', { kind: SpanKind.SERVER }, async (root) => {
      for (let i = 0; i < 100_000; i++) {
        tracer
          .startSpan('child', { kind: SpanKind.CLIENT, attributes: { 'db.query.text': `select ${i}` } })
          .end();
        if (i % 5000 === 0) await sleep(1);
      }
      root.end();
    });
  },
  async 'never-ending-spans'() {
    const open = [];
    for (let i = 0; i < 20_000; i++) open.push(tracer.startSpan(`open ${i % 10}`));
    return { open: open.length };
  },
  async 'no-files'({ service }) {
    const { rss } = service.getStats().currentResources.memory;
    const taken = [];
    try {
      for (;;) taken.push(openSync('/dev/null'));
    } catch ({ code }) {
      // The resident set is read once a second, and every five seconds files are written.
      await sleep(6000);
      const without = service.getStats().currentResources.memory;
      for (const file of taken) closeSync(file);
      return { code, kept: without.rss > rss / 4, heap: without.heapUsed > 0 };
    }
  },
  async 'hostile-names'() {
    for (const name of HOSTILE) {
      const attributes = { 'db.system.name': name, 'db.query.text': name, 'http.route': name };
      tracer.startActiveSpan(name, { kind: SpanKind.CLIENT, attributes }, (span) => {
        spin(1);
        span.setAttribute(name || 'empty', name);
        span.end();
      });
    }
  },
  async 'many-routes'({ url, service }) {
    for (let i = 0; i < 10_000; i++) tracer.startSpan(`route ${i}`, { kind: SpanKind.SERVER }).end();
    for (let i = 0; i < 50; i++) await request(`${url}/nowhere/${i}`);
    return { operations: service.getStats({ operations: 100_000 }).operations.length };
  },
  async 'deep-recursion'() {
    const recurse = (depth) =>
      tracer.startActiveSpan('deep', (span) => {
        try {
          return depth === 0 ? undefined : recurse(depth - 1);
        } finally {
          span.end();
        }
      });
    try {
      recurse(1e6);
    } catch (error) {
      return { error: error.name };
    }
  },
  async 'huge-headers'({ url }) {
    const { port } = new URL(url);
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`GET /fast/1 HTTP/1.1\r\nHost: x\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`);
    await new Promise((resolve) => socket.once('data', resolve).once('close', resolve));
    socket.destroy();
  },
  async 'aborted-requests'({ url }) {
    for (let i = 0; i < 50; i++)
      await request(`${url}/slow/200`, { signal: AbortSignal.timeout(5) }).catch(() => {});
  },
  async 'clock-backward'({ url, service }) {
    const now = Date.now;
    Date.now = () => now() - 86_400_000;
    await request(`${url}/busy`);
    const { timestamp } = service.getSlowOperations()[0] ?? {};
    Date.now = now;
    return { timestamp };
  },
  async 'clock-forward'({ url }) {
    const now = Date.now;
    Date.now = () => now() + 7 * 86_400_000;
    await request(`${url}/busy`);
    await sleep(300);
    Date.now = now;
  },
  async 'blocked-loop'({ url }) {
    // The module watches the loop a second after the start.
    await sleep(1500);
    spin(10_000);
    await request(`${url}/fast/1`);
    // The source map of the line is read before the finding is reported.
    await sleep(500);
  },
  async 'worker-exit'() {
    const code = 'process.exit(3)';
    const worker = new Worker(code, { eval: true });
    return { worker: await new Promise((resolve) => worker.once('exit', resolve)) };
  },
  async 'handlers-untouched'() {
    return { before, during: counted() };
  },
  async 'no-console'() {
    process.stderr.destroy();
  },
  async none() {},
};

if (cluster.isPrimary && fault === 'cluster') {
  const worker = cluster.fork();
  const [code] = await new Promise((resolve) => worker.once('exit', (...ended) => resolve(ended)));
  say({ done: true, result: { worker: code }, alive: 'slow' });
} else {
  const running = await start();
  if (fault === 'stopped') {
    say({ ready: true });
    await sleep(1500);
  }
  const result = (await FAULTS[fault]?.(running)) ?? {};
  if (fault === 'exit-in-handler') process.exit(7);
  const alive = await request(`${running.url}/slow/1`);
  const { totalOperations } = running.service.getStats();
  const findings = running.service.getFindings().map(({ type }) => type);
  await running.app.close();
  if (cluster.isWorker) process.exit(0);
  say({ done: true, result, alive, totalOperations, findings, after: counted(), before });
}
