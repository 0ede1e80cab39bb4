// An instance of the service `shop`. STORE: `redis`, a directory, or nothing for no configuration at all.
import KeyvRedis from '@keyv/redis';
import Keyv from 'keyv';
import { createApplication, say } from '../../faults/programs/application.mjs';

const { STORE, REDIS, NAMESPACE, VERSION } = process.env;
const fleets = {
  redis: () => ({ store: new Keyv(new KeyvRedis(REDIS), { namespace: NAMESPACE }) }),
  none: () => ({}),
};
const fleet = fleets[STORE]?.() ?? { directory: STORE };

const app = await createApplication({
  serviceName: 'shop',
  ...(VERSION === undefined ? {} : { serviceVersion: VERSION }),
  httpThresholdMs: 100,
  alerts: { enabled: false },
  ...(STORE === 'none' ? {} : { baseline: { enabled: false }, fleet: { publishSeconds: 1, ...fleet } }),
});
app.enableShutdownHooks();
await app.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
say({ ready: app.getHttpServer().address().port, pid: process.pid });
