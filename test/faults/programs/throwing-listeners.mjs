// Every event of the module has listeners that fail in every way, and one beside them that counts.
import { setTimeout as sleep } from 'node:timers/promises';
import { DiagConsoleLogger, DiagLogLevel, diag, SpanKind, trace } from '@opentelemetry/api';
import { map } from 'rxjs';
import {
  createApplication,
  OnPerformanceAlert,
  PerformanceMonitor,
  PerformanceMonitorService,
  request,
  say,
} from './application.mjs';

diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.ERROR);

/** An error that cannot be looked at. */
function hostileError() {
  const getters = ['message', 'name', 'stack', 'cause', 'toString', 'constructor', 'then'].map((key) => [
    key,
    {
      get() {
        throw new Error(`the getter ${key}`);
      },
    },
  ]);
  return Object.create(Error.prototype, Object.fromEntries(getters));
}
const refuse = () => {
  throw new Error('a trap');
};
const traps = Object.fromEntries(Object.getOwnPropertyNames(Reflect).map((name) => [name, refuse]));
const revoked = Proxy.revocable({}, {});
revoked.revoke();

const THROWN = {
  error: new TypeError('boom'),
  null: null,
  undefined: undefined,
  text: 'text',
  symbol: Symbol('s'),
  bare: Object.create(null),
  hostile: hostileError(),
  proxy: new Proxy(() => {}, traps),
  revoked: revoked.proxy,
};
/** Ways to fail with a value. */
const WAYS = Object.entries(THROWN).flatMap(([name, thrown]) => [
  {
    name: `throws ${name}`,
    fail: () => {
      throw thrown;
    },
  },
  {
    name: `rejects ${name}`,
    fail: async () => {
      throw thrown;
    },
  },
]);

const heard = {};
const count = (name) => () => {
  heard[name] = (heard[name] ?? 0) + 1;
};

class Pager {
  late() {
    count('@OnPerformanceAlert')();
  }
}
const decorate = (name) =>
  OnPerformanceAlert()(Pager.prototype, name, Object.getOwnPropertyDescriptor(Pager.prototype, name));
WAYS.forEach(({ fail }, index) => {
  const name = `page${index}`;
  Object.defineProperty(Pager.prototype, name, { value: fail, writable: true, configurable: true });
  decorate(name);
});
decorate('late');

const lines = [];
const log = (message) => void lines.push(String(message));
const app = await createApplication(
  {
    httpThresholdMs: 1,
    baseline: { enabled: false },
    detection: { eventLoopBlock: { limitMs: 50 } },
    alerts: {
      intervalMs: 100,
      rules: [
        { kind: 'latency', name: 'always', percentile: 'p50', thresholdMs: 1, minCount: 1, forSeconds: 0 },
      ],
    },
  },
  { providers: [Pager] },
  { logger: { log, warn: log, error: log, debug() {} } },
);
await app.listen(0, '127.0.0.1');
const url = await app.getUrl();
const service = app.get(PerformanceMonitorService);
const core = app.get(PerformanceMonitor);

for (const name of ['slowOperations$', 'slowOperationUpdates$', 'findings$', 'alerts$']) {
  for (const { fail } of WAYS) {
    service[name].subscribe(fail);
    service[name].subscribe({ next: fail });
    service[name].pipe(map((event) => event)).subscribe(fail);
    service[name]
      .pipe(
        map(() => {
          throw 1;
        }),
      )
      .subscribe();
    service[name]
      .pipe(
        map(() => {
          throw 1;
        }),
      )
      .subscribe({ error: fail });
  }
  service[name].subscribe(count(name));
  service[name].pipe(map((event) => event)).subscribe(count(`${name} piped`));
}
for (const name of ['onSlowOperation', 'onSlowOperationUpdate', 'onFinding', 'onAlert']) {
  for (const { fail } of WAYS) core[name](fail);
  core[name](count(name));
}
// A listener that replaces itself is called once for each event.
let off = () => {};
const replaced = () => {
  off();
  heard.replaced = (heard.replaced ?? 0) + 1;
  off = core.onSlowOperation(replaced);
};
off = core.onSlowOperation(replaced);

await sleep(1200);
// A finding that no load of the machine hides: a repeated query.
const tracer = trace.getTracer('faults');
await tracer.startActiveSpan('GET /rows', { kind: SpanKind.SERVER }, async (root) => {
  for (let i = 0; i < 30; i++) {
    const attributes = {
      'db.system.name': 'postgresql',
      'db.query.text': `SELECT * FROM rows WHERE id = ${i}`,
    };
    const query = tracer.startSpan('query', { kind: SpanKind.CLIENT, attributes });
    await sleep(4);
    query.end();
  }
  root.end();
});
for (let i = 0; i < 3; i++) await request(`${url}/busy`);
const until = performance.now() + 5000;
while (
  !(heard.alerts$ && heard['@OnPerformanceAlert'] && heard.findings$ && heard.slowOperationUpdates$) &&
  performance.now() < until
)
  await sleep(50);
await app.close();
say({ heard, lines, ways: WAYS.length });
