// Measures one variant in its own process and sends CPU ns per span. A request with a query: two spans.
import { setImmediate } from 'node:timers/promises';
import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { PerformanceMonitor, SlowSpanProcessor } from 'nestjs-performance';
import { median } from '../support/figures.mjs';

const [variant] = process.argv.slice(2);
const BATCHES = 25;
const REQUESTS = 10_000;
const STATEMENTS = [
  'SELECT "u"."id", "u"."name", "u"."email" FROM "users" "u" WHERE "u"."id" = $1',
  'SELECT o.id, o.total FROM orders o JOIN items i ON i.order_id = o.id WHERE o.user_id = $1 LIMIT 20',
  'INSERT INTO audit_log (actor, action, at) VALUES ($1, $2, now()) RETURNING id',
  "UPDATE sessions SET seen_at = now() WHERE token = $1 AND kind = 'web'",
  'DELETE FROM carts WHERE updated_at < $1',
];

const noop = {
  onStart() {},
  onEnding() {},
  onEnd() {},
  forceFlush: async () => {},
  shutdown: async () => {},
};
const always = { httpThresholdMs: 0, databaseThresholdMs: 0 };
const unexplained = { detection: { explain: false } };
const ours = (options) => {
  const monitor = new PerformanceMonitor(options);
  return { monitor, processor: new SlowSpanProcessor(monitor) };
};
const made = {
  none: () => ({}),
  'no-op': () => ({ processor: noop }),
  unexplained: () => ours(unexplained),
  slow: () => ours({}),
  redacting: () => {
    const { monitor, processor } = ours({});
    return { monitor, processor: processor.withRedaction() };
  },
  'all-slow-unexplained': () => ours({ ...always, ...unexplained }),
  'all-slow': () => ours(always),
}[variant]();
const provider = new NodeTracerProvider({ spanProcessors: made.processor ? [made.processor] : [] });
const tracer = provider.getTracer('bench');

function request(number) {
  const root = tracer.startSpan(
    'GET /users/:id',
    {
      kind: SpanKind.SERVER,
      attributes: { 'http.request.method': 'GET', 'url.path': '/users/1', 'url.scheme': 'http' },
    },
    ROOT_CONTEXT,
  );
  const query = tracer.startSpan(
    'pg.query:SELECT app',
    {
      kind: SpanKind.CLIENT,
      attributes: {
        'db.system.name': 'postgresql',
        'db.namespace': 'app',
        'db.query.text': STATEMENTS[number % STATEMENTS.length],
        'server.address': 'localhost',
        'server.port': 5432,
      },
    },
    trace.setSpan(ROOT_CONTEXT, root),
  );
  query.end();
  root.setAttribute('http.route', '/users/:id');
  root.setAttribute('http.response.status_code', 200);
  root.end();
}

/** CPU time: wall-clock time would include other processes. */
function batch() {
  const before = process.cpuUsage();
  for (let number = 0; number < REQUESTS; number++) request(number);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / (2 * REQUESTS);
}

for (let warmUp = 0; warmUp < 8; warmUp++) {
  batch();
  await setImmediate();
}
const results = [];
for (let count = 0; count < BATCHES; count++) {
  results.push(batch());
  // Delivers the events of garbage collections between two batches, as between two requests.
  await setImmediate();
}
if (made.monitor !== undefined) {
  const { totalOperations, totalSlowOperations } = made.monitor.getStats();
  const expected = 2 * REQUESTS * (BATCHES + 8);
  if (totalOperations !== expected) throw new Error(`${totalOperations} of ${expected} spans were counted`);
  if (variant.startsWith('all-slow') && totalSlowOperations < 0.99 * expected)
    throw new Error(`only ${totalSlowOperations} of ${expected} spans were slow`);
}
process.send(median(results));
