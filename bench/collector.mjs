// What the Collector of deploy/ costs at a rate of spans: traces of five spans as this package sends them, of which 2 % are
// slow and 2 % failed. Builds the Collector if it is not in the cache, for which Go is needed.
// Usage: node bench/collector.mjs [SPANS_PER_SECOND,SPANS_PER_SECOND...] [SECONDS]
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { startCollector } from '../tools/fleet/collector.mjs';
import { versionOf } from '../tools/fleet/deploy-files.mjs';
import { obtainEngines } from '../tools/fleet/engines.mjs';
import { Run } from '../tools/fleet/processes.mjs';
import { startTraceReceiver } from '../tools/fleet/trace-receiver.mjs';
import { print, table } from './support/figures.mjs';

const RATES = (process.argv[2] ?? '1000,5000,10000').split(',').map(Number);
const SECONDS = Number(process.argv[3] ?? 45);
/** Traces are kept for ten seconds until they are decided on. */
const WARM_UP_SECONDS = 15;
const BUILD_MS = 30 * 60_000;
const SPANS = 5;
const BATCHES_PER_SECOND = 10;
const SERVICE = 'bench';
const MB = 2 ** 20;
/** The kernel's clock ticks a second. */
const TICKS = 100;

const { default: root } = await import('otlp-decoder/build/src/generated/root.js');
const Request = root.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
const resource = { attributes: [text('service.name', SERVICE), text('service.version', '1.0.0')] };
const scope = { name: 'nestjs-performance', version: '1.0.0' };

function text(key, stringValue) {
  return { key, value: { stringValue } };
}

function trace(number) {
  const traceId = randomBytes(16);
  const now = Date.now();
  const [isSlow, hasFailed] = [number % 50 === 0, number % 50 === 25];
  const at = (ms) => BigInt(ms) * 1_000_000n;
  const server = {
    traceId,
    spanId: randomBytes(8),
    name: 'GET /albums/:id',
    kind: 2,
    startTimeUnixNano: String(at(now - 40)),
    endTimeUnixNano: String(at(now)),
    attributes: [
      text('http.request.method', 'GET'),
      text('http.route', '/albums/:id'),
      text('url.path', `/albums/${number}`),
      text('url.scheme', 'http'),
      { key: 'http.response.status_code', value: { intValue: hasFailed ? 500 : 200 } },
      ...(isSlow ? [{ key: 'performance.slow', value: { boolValue: true } }] : []),
    ],
    status: hasFailed ? { code: 2 } : {},
  };
  const statements = Array.from({ length: SPANS - 1 }, (_, index) => ({
    traceId,
    spanId: randomBytes(8),
    parentSpanId: server.spanId,
    name: 'SELECT track',
    kind: 3,
    startTimeUnixNano: String(at(now - 30 + index)),
    endTimeUnixNano: String(at(now - 29 + index)),
    attributes: [
      text('db.system.name', 'postgresql'),
      text('db.namespace', 'music'),
      text('db.query.text', 'select id, name, milliseconds from track where album_id = $1 order by id'),
      text('server.address', '127.0.0.1'),
      { key: 'server.port', value: { intValue: 5432 } },
    ],
  }));
  return [server, ...statements];
}

function batchOf(first, traces) {
  const spans = Array.from({ length: traces }, (_, index) => trace(first + index)).flat();
  return Request.encode({ resourceSpans: [{ resource, scopeSpans: [{ scope, spans }] }] }).finish();
}

/** CPU seconds and resident bytes of a process. */
function usageOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return { cpu: (Number(fields[11]) + Number(fields[12])) / TICKS, bytes: Number(fields[21]) * 4096 };
}

async function measure(run, program, rate) {
  const receiver = await startTraceReceiver(run);
  const targets = { traces: receiver.otlp, prometheus: '127.0.0.1:9' };
  const collector = await startCollector(run, program, targets, `collector-${rate}`);
  const { pid } = collector.process.child;
  const traces = Math.round(rate / SPANS / BATCHES_PER_SECOND);
  let [sent, bytes, before] = [0, 0];
  const startedAt = performance.now();
  for (let tick = 0; tick < (WARM_UP_SECONDS + SECONDS) * BATCHES_PER_SECOND; tick++) {
    if (tick === WARM_UP_SECONDS * BATCHES_PER_SECOND)
      before = { ...usageOf(pid), sent, bytes, at: performance.now() };
    const body = batchOf(sent, traces);
    const response = await fetch(`${collector.http}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body,
    });
    if (!response.ok) throw new Error(`the Collector answered ${response.status}`);
    await response.arrayBuffer();
    sent += traces;
    bytes += body.length;
    const due = startedAt + ((tick + 1) * 1000) / BATCHES_PER_SECOND;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
  }
  const after = usageOf(pid);
  const seconds = (performance.now() - before.at) / 1000;
  const spans = (sent - before.sent) * SPANS;
  const kept = await receiver.spans(SERVICE);
  await run.stop(collector.process);
  return [
    Math.round(spans / seconds).toLocaleString('en'),
    Math.round((bytes - before.bytes) / spans).toString(),
    ((after.cpu - before.cpu) / seconds).toFixed(2),
    (((after.cpu - before.cpu) / spans) * 1e6).toFixed(1),
    Math.round(after.bytes / MB).toString(),
    // Those of the last ten seconds are not decided.
    `${((kept.length / (sent * SPANS)) * 100).toFixed(1)} %`,
  ];
}

const engines = await obtainEngines(
  { collector: versionOf('otel-collector') },
  { signal: AbortSignal.timeout(BUILD_MS) },
);
const { program, origin } = engines.collector;
if (program === undefined) throw new Error(`There is no Collector: ${origin}`);
print(`Collector ${origin}, ${SECONDS} s each, after ${WARM_UP_SECONDS} s.`);
const run = new Run();
process.once('exit', () => run.killAll());
try {
  const rows = [];
  for (const rate of RATES) rows.push(await measure(run, program, rate));
  table(['spans a second', 'bytes a span', 'cores', 'CPU us a span', 'MB resident', 'exported'], rows);
} finally {
  await run.end();
}
