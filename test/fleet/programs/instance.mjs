// An instance of the service `shop`. STORE: `redis`, a directory, or nothing for no configuration at all.
// PROFILES: where profiles of slow operations are kept.
// WEBHOOK: where alerts of `GET /slow/:ms` are sent.
import KeyvRedis from '@keyv/redis';
import Keyv from 'keyv';
import { createApplication, PerformanceMonitorService, say } from '../../faults/programs/application.mjs';

const { STORE, REDIS, NAMESPACE, VERSION, PROFILES, WEBHOOK, SHARE_ALERTS } = process.env;
const fleets = {
  redis: () => ({ store: new Keyv(new KeyvRedis(REDIS), { namespace: NAMESPACE }) }),
  none: () => ({}),
};
const fleet = fleets[STORE]?.() ?? { directory: STORE };

const alerts = {
  intervalMs: 100,
  defaultRules: false,
  rules: [{ kind: 'latency', percentile: 'p50', thresholdMs: 200, operation: 'GET /slow/:ms', minCount: 1 }],
  notifiers: { log: false, webhook: { url: WEBHOOK } },
};

const app = await createApplication({
  serviceName: 'shop',
  ...(VERSION === undefined ? {} : { serviceVersion: VERSION }),
  httpThresholdMs: 100,
  ...(PROFILES === undefined
    ? {}
    : { enableProfiling: true, profileSlowOperations: true, profiling: { directory: PROFILES } }),
  alerts: WEBHOOK === undefined ? { enabled: false } : alerts,
  ...(STORE === 'none'
    ? {}
    : {
        baseline: { enabled: false },
        fleet: {
          publishSeconds: 1,
          ...(SHARE_ALERTS === undefined ? {} : { alerts: SHARE_ALERTS === 'true' }),
          ...fleet,
        },
      }),
});
app.get(PerformanceMonitorService).alerts$.subscribe(({ state }) => say({ [state]: true }));
app.enableShutdownHooks();
await app.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
say({ ready: app.getHttpServer().address().port, pid: process.pid });
