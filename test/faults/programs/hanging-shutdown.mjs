// An application whose collector, webhook, Alertmanager, Pyroscope and store accept everything and never answer.
// It closes itself, or is ended by a signal, while all of them have something to send.
import { setTimeout as sleep } from 'node:timers/promises';
import { createApplication, request, say } from './application.mjs';

const [, , peer, how] = process.argv;
const hangs = (name) => peer === 'all' || peer === name;
const hanging = process.env.HANGING;
const kept = new Map();
let answers = true;
const answer = (value) => (answers ? Promise.resolve(value) : new Promise(() => {}));
const store = {
  get: (key) => answer(kept.get(key)),
  set: (key, value) => answer(kept.set(key, value) && true),
  delete: (key) => answer(kept.delete(key)),
};

/** A hook of the application, which runs beside ours. */
class LateHook {
  onApplicationShutdown() {
    say({ hook: true });
  }
}

const app = await createApplication(
  {
    httpThresholdMs: 1,
    tracing: hangs('traces') ? { endpoint: hanging } : {},
    metrics: hangs('metrics') ? { endpoint: hanging } : {},
    baseline: hangs('store') ? { store } : { directory: process.env.FOLDER },
    enableProfiling: hangs('pyroscope'),
    profileSlowOperations: hangs('pyroscope'),
    profiling: {
      directory: `${process.env.FOLDER}/profiles`,
      sampler: 'inspector',
      ...(hangs('pyroscope') ? { pyroscope: { url: hanging } } : {}),
    },
    alerts: {
      enabled: true,
      intervalMs: 100,
      slos: [{ operation: 'GET /busy', objective: 0.9 }],
      rules: [
        { kind: 'latency', name: 'always', percentile: 'p50', thresholdMs: 1, minCount: 1, forSeconds: 0 },
      ],
      notifiers: {
        ...(hangs('webhook') ? { webhook: { url: hanging } } : {}),
        ...(hangs('alertmanager') ? { alertmanager: { url: hanging } } : {}),
      },
    },
  },
  { providers: [LateHook] },
);
app.enableShutdownHooks();
await app.listen(0, '127.0.0.1');
const url = await app.getUrl();
for (let i = 0; i < 5; i++) await request(`${url}/busy`);
await sleep(Number(process.env.WAIT_MS ?? 1500));
answers = false;
process.once('exit', () => say({ exit: true }));
say({ ready: true });
if (how === 'close') {
  await app.close();
  say({ closed: true });
}
