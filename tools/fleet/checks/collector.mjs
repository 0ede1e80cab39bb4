// The Collector accepts its configuration and both protocols, and keeps what is slow or failed.
import { join } from 'node:path';
import { unusedConfiguration, validate } from '../collector.mjs';
import { ERROR, makeTrace, sendSpans } from '../otlp.mjs';
import { assert, eventually } from '../results.mjs';

const SERVICE = 'made-for-sampling';
const SLOW = 60;
const FAILED = 60;
const NORMAL = 2000;
/** Of 2,000 traces at 5 %, 100 are expected; chance makes fewer than 50 or more than 160 of them once in a million runs. */
const KEPT = [50, 160];
/** decision_wait, the batch after it, and time for a busy machine. */
const DECIDED_MS = 60_000;
const CHUNK = 500;

export function checkConfiguration(results, program, folder) {
  return results.check('config.yaml is valid', () => {
    validate(program, unusedConfiguration(folder));
    // A validation that accepts everything proves nothing.
    const broken = unusedConfiguration(join(folder, '..'), (text) =>
      text.replace('decision_wait:', 'decision_weight:'),
    );
    let rejected = false;
    try {
      validate(program, broken);
    } catch {
      rejected = true;
    }
    assert(rejected, 'A configuration with an unknown field is valid, too');
  });
}

/** A renamed component or field still works, with a warning. */
export function checkNoWarnings(results, { process }) {
  return results.check('the Collector starts without a warning', () => {
    const lines = process.log().split('\n');
    assert(
      lines.some((line) => line.includes('Everything is ready')),
      'It has not started',
    );
    const warning = lines.find((line) => /\t(?:warn|error)\t/.test(line));
    assert(warning === undefined, () => warning.split('\t').slice(2, 4).join(' '));
  });
}

/** Sends made traces over HTTP, and asks the storage for what the Collector kept. */
export async function checkSampling(results, { collector, storage }) {
  const began = Date.now() - 60_000;
  const slow = traces(SLOW, (n) => [
    {},
    // The request itself is not slow in every second of them: only a span below it is.
    { attributes: { 'performance.slow': true, 'performance.slowness_ratio': 2 + (n % 3) } },
  ]);
  const failed = traces(FAILED, () => [{}, { status: ERROR }, {}]);
  const normal = traces(NORMAL, () => [{}, { attributes: { 'performance.threshold': 100 } }]);
  // The last ones are decided last: once all of them are there, everything is decided.
  const all = [...normal, ...slow, ...failed];
  await results.check('OTLP over HTTP is accepted', async () => {
    const spans = all.flatMap((trace) => trace.spans);
    for (let from = 0; from < spans.length; from += CHUNK)
      await sendSpans(collector.http, SERVICE, spans.slice(from, from + CHUNK));
    return `${spans.length} spans`;
  });
  const read = async () => byTrace(await storage.spans(SERVICE, began));
  let kept = new Map();
  await results.check('every slow and every failed trace is kept', async () => {
    await eventually(
      'all slow and failed traces kept',
      async () => {
        kept = await read();
        return [...slow, ...failed].every(({ traceId }) => kept.has(traceId));
      },
      { timeoutMs: DECIDED_MS, everyMs: 2000 },
    );
    return `${SLOW} and ${FAILED}`;
  });
  await results.check('traces are kept whole', () => {
    for (const { traceId, spans } of all) {
      const found = kept.get(traceId);
      assert(
        found === undefined || found.length === spans.length,
        `${traceId}: ${found?.length} of ${spans.length}`,
      );
    }
    return `${kept.size} traces`;
  });
  await results.check('few other traces are kept', async () => {
    kept = await read();
    const others = normal.filter(({ traceId }) => kept.has(traceId)).length;
    assert(others >= KEPT[0] && others <= KEPT[1], `${others} of ${NORMAL}, expected ${KEPT.join(' to ')}`);
    return `${others} of ${NORMAL}`;
  });
  await results.check('a late span follows the decision about its trace', async () => {
    const { traceId, spans } = slow[0];
    const late = { ...spans[1], spanId: 'abcdef0123456789', name: 'late' };
    await sendSpans(collector.http, SERVICE, [late]);
    const dropped = normal.find((trace) => !kept.has(trace.traceId));
    await sendSpans(collector.http, SERVICE, [
      { ...dropped.spans[1], spanId: '9876543210fedcba', name: 'late' },
    ]);
    await eventually(
      'the late span there',
      async () => (await storage.trace(traceId)).some(({ name }) => name === 'late'),
      { timeoutMs: DECIDED_MS, everyMs: 1000 },
    );
    assert((await storage.trace(dropped.traceId)).length === 0, 'a late span of a dropped trace was kept');
  });
}

function traces(count, parts) {
  return Array.from({ length: count }, (_, n) => makeTrace(parts(n)));
}

function byTrace(spans) {
  const traces = new Map();
  for (const span of spans) {
    const trace = traces.get(span.traceId);
    if (trace === undefined) traces.set(span.traceId, [span]);
    else trace.push(span);
  }
  return traces;
}
