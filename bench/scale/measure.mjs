// Measures one shape of load in its own process: WHAT, then how many. Sends CPU ns for each operation or span.
import { setImmediate } from 'node:timers/promises';
import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { PerformanceModule, PerformanceMonitorService } from 'nestjs-performance';
import { listen } from '../support/app.mjs';
import { median } from '../support/figures.mjs';

const [what, given] = process.argv.slice(2);
const many = Number(given);
const BATCHES = 15;
const OPERATIONS = 20_000;
const SPANS = 100_000;

const { app } = await listen([PerformanceModule.forRoot({ detection: { maxOperations: 20_000 } })]);
const monitor = app.get(PerformanceMonitorService);
const tracer = trace.getTracer('bench');
const names = Array.from({ length: what === 'operations' ? many : 1 }, (_, number) => `operation ${number}`);

function request(name, spans) {
  const root = tracer.startSpan(name, { kind: SpanKind.INTERNAL }, ROOT_CONTEXT);
  const within = trace.setSpan(ROOT_CONTEXT, root);
  for (let number = 0; number < spans; number++)
    tracer.startSpan('query', { kind: SpanKind.INTERNAL }, within).end();
  root.end();
}

/** CPU time: wall-clock time would include other processes. */
function cpuNs(from) {
  const { user, system } = process.cpuUsage(from);
  return (user + system) * 1000;
}

/** As many operations as there are names, in turn, of one span each. */
async function operations() {
  const before = process.cpuUsage();
  for (let number = 0; number < OPERATIONS; number++) {
    request(names[number % names.length], 0);
    if (number % 1000 === 0) await setImmediate();
  }
  return cpuNs(before) / OPERATIONS;
}

/** Traces of so many spans, about as many spans in each batch. */
async function spans() {
  const before = process.cpuUsage();
  const traces = Math.ceil(SPANS / many);
  for (let number = 0; number < traces; number++) {
    request(names[0], many);
    if (number % 1000 === 0) await setImmediate();
  }
  return cpuNs(before) / (traces * (many + 1));
}

const measure = { operations, spans }[what];
for (let warmUp = 0; warmUp < 5; warmUp++) await operations();
if (what !== 'operations') await spans();
const results = [];
for (let count = 0; count < BATCHES; count++) results.push(await measure());
if (what === 'operations' && monitor.getStats().operations.length < Math.min(many, 100))
  throw new Error('not all operations were counted');
process.send(median(results));
await app.close();
