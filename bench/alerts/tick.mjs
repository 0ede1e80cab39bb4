// Evaluates 50 rules and 10 objectives over 1,000 operations as the timer does, and sends the milliseconds of each tick and
// of its longest turn of the event loop. Variant `quiet`: nothing fires. `storm`: all alerts start to fire at once.
import { Alerting } from '../../dist/modules/alerting/alerting.js';
import { resolveOptions } from '../../dist/modules/monitor/resolve-options.js';
import { Statistics } from '../../dist/modules/statistics/statistics.js';

const [variant] = process.argv.slice(2);
const storm = variant === 'storm';
const OPERATIONS = 1000;
const TICKS = 50;
const TYPES = ['http', 'database', 'cache', 'external', 'internal'];
const STEP_MS = 20_000;
const HOURS_MS = 3 * 3_600_000;
const typeOf = (index) => TYPES[index % TYPES.length];
const nameOf = (index) => `${typeOf(index)} resource ${index}`;

const statistics = new Statistics(OPERATIONS);
let now = 0;
for (; now < HOURS_MS; now += STEP_MS) {
  for (let i = 0; i < OPERATIONS; i++) {
    statistics.record(typeOf(i), nameOf(i), 5 + ((i * 7 + now / STEP_MS) % 97), storm, storm, now + i);
  }
}
const limit = storm ? 1 : 1e6;
const share = storm ? 1 : 100;
const of = (count, make) => Array.from({ length: count }, (_, index) => make(index));
const rules = [
  ...of(16, (i) => ({
    kind: 'latency',
    percentile: 'p95',
    thresholdMs: limit,
    operation: nameOf(i),
    window: 'hour',
    minCount: 1,
  })),
  ...of(8, (i) => ({ kind: 'error_rate', threshold: share, operation: nameOf(i + 50), minCount: 1 })),
  ...of(8, (i) => ({
    name: `slow ${i}`,
    kind: 'slow_percentage',
    threshold: share,
    window: i % 2 ? 'hour' : 'minute',
    minCount: 1,
  })),
  ...of(5, (i) => ({
    kind: 'latency',
    percentile: 'p99',
    thresholdMs: limit,
    type: typeOf(i),
    window: 'hour',
  })),
  { kind: 'heap_used', threshold: 95 },
  { kind: 'event_loop_delay', thresholdMs: 1000 },
  { kind: 'event_loop_utilization', threshold: 0.99 },
  { kind: 'leak' },
  ...of(5, (i) => ({ name: `regression ${i}`, kind: 'regression', minChangePercent: i + 1 })),
  { kind: 'n_plus_one' },
  { kind: 'event_loop_block' },
  ...of(2, (i) => ({ name: `n+1 ${i}`, kind: 'n_plus_one', thresholdMs: 10 * (i + 1) })),
];
const slos = of(10, (i) => ({ operation: nameOf(i), objective: 0.999, thresholdMs: 50 }));
const regressions = of(storm ? OPERATIONS : 20, (i) => ({
  id: `r${i}`,
  type: typeOf(i),
  name: nameOf(i),
  metric: 'latency',
  state: storm ? 'open' : 'over',
  change: 0.5,
  explanation: `The median of ${nameOf(i)} is 50 % greater than before.`,
}));
const { alerts } = resolveOptions({ alerts: { defaultRules: false, rules, slos } });
const alerting = new Alerting(
  alerts,
  {
    types: () => statistics.types(),
    type: (type, window) => statistics.typeSummary(type, window, now),
    operation: (name, window, type) => statistics.operationSummary(name, window, now, type),
    failing: (window) => statistics.failing(window, now),
    heap: () => ({ used: 50, limit: 100 }),
    eventLoop: () => ({ utilization: 0.3, delayMaxMs: 20 }),
    leaks: () => [],
    regressions: () => regressions,
    findings: () => [],
  },
  { serviceName: 'shop', hostName: 'bench' },
  () => {},
  (error) => {
    throw error;
  },
);
for (const { operation } of slos)
  for (let i = 0; i < 1000; i++) alerting.slos.record(operation, i % 100, false);

// A tick is one turn in `begin`, which ends in `proceed`, some more in `proceed`, and one in `finish`.
const turns = [];
const timed = (method) => {
  const original = alerting[method];
  alerting[method] = (...args) => {
    const start = performance.now();
    original.apply(alerting, args);
    turns.push(performance.now() - start);
  };
};
const ticks = [];
// Collects the garbage of the preparation.
globalThis.gc();
timed('proceed');
timed('finish');
for (let tick = 0; tick < TICKS; tick++) {
  turns.length = 0;
  now += 5000;
  const start = performance.now();
  alerting.begin(Date.UTC(2026, 0, 1) + now);
  const first = performance.now() - start;
  while (alerting.slices !== undefined) await new Promise((resolve) => setImmediate(resolve));
  turns[0] = first;
  ticks.push({ total: turns.reduce((sum, turn) => sum + turn, 0), longest: Math.max(...turns) });
}
process.send(ticks);
