// Jaeger stores the traces that the Collector keeps, finds what is slow, and has all of it.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unusedConfiguration, validate } from '../collector.mjs';
import { configure, ROOT } from '../deploy-files.mjs';
import { documentedTags } from '../queries.mjs';
import { assert, eventually } from '../results.mjs';

/** decision_wait, batches, and time for a busy machine. */
const STORED_MS = 90_000;
/** Traces that are compared span by span. */
const COMPARED = 200;
const SLOW = 'performance.slow';

export function checkJaegerConfiguration(results, program, folder) {
  return results.check('jaeger.yaml is valid after config.yaml', () => {
    const config = unusedConfiguration(folder);
    const validateWith = (change) =>
      validate(
        program,
        config,
        configure('otel-collector/jaeger.yaml', { 'jaeger:4317': '127.0.0.1:6' }, folder, change),
      );
    validateWith();
    // As its comment says for Jaeger alone.
    validateWith((text) => text.replace('[otlp_grpc/tempo, ', '['));
    let rejected = false;
    try {
      validateWith((text) => text.replace('otlp_grpc/jaeger:', 'otlp_grpc/other:'));
    } catch {
      rejected = true;
    }
    assert(rejected, 'A pipeline with an exporter that is not defined is valid, too');
  });
}

/** @param storage the one beside it, which has received the same */
export async function checkJaeger(results, { jaeger, storage, shops, job, folder }) {
  let found = new Map();
  await results.check('every slow operation of the instances is found by performance.slow=true', async () => {
    const ids = new Set();
    for (const shop of shops) for (const { traceId } of await shop.ask('slow')) ids.add(traceId);
    assert(ids.size > 10, `Only ${ids.size} slow operations`);
    let missing = [];
    await eventually(
      'all slow traces found',
      async () => {
        found = byId(await jaeger.search(job, { [SLOW]: 'true' }));
        missing = [...ids].filter((id) => !found.has(id));
        return missing.length === 0;
      },
      { timeoutMs: STORED_MS, everyMs: 2000 },
    ).catch((error) => {
      throw new Error(
        `${error.message}: ${missing.length} of ${ids.size} are missing, such as ${missing[0]}`,
      );
    });
    return `${ids.size} operations, ${found.size} traces`;
  });
  await results.check('nothing else is found by it', async () => {
    const all = byId(await jaeger.search(job));
    for (const [id, trace] of found) assert(trace.spans.some(isSlow), `${id} has no slow span`);
    const others = [...all.values()].filter(({ traceID }) => !found.has(traceID));
    assert(others.length > 0, 'Every trace is slow');
    // Those that were stored between the two questions.
    const late = new Set(byId(await jaeger.search(job, { [SLOW]: 'true' })).keys());
    const missed = others.filter(({ traceID, spans }) => !late.has(traceID) && spans.some(isSlow));
    assert(missed.length === 0, `${missed.length} slow traces are not found, such as ${missed[0]?.traceID}`);
    return `${others.length} other traces`;
  });
  await results.check('each has all its spans, with their performance attributes', async () => {
    let spans = 0;
    let attributes = 0;
    // Of the whole run.
    const step = Math.ceil(found.size / COMPARED);
    const compared = [...found.keys()].filter((_, index) => index % step === 0);
    for (const id of compared) {
      const [expected, actual] = await spansInBoth(id, storage, jaeger);
      for (const [spanId, span] of expected) {
        const wanted = comparable(span);
        const have = comparable(actual.get(spanId));
        assert(have === wanted, () => `${id}: Jaeger has ${have} for ${wanted}`);
        attributes += Object.keys(performanceOf(span)).length;
      }
      spans += expected.size;
    }
    assert(attributes > compared.length, 'The spans have no performance attributes');
    return `${spans} spans of ${compared.length} traces, ${attributes} attributes`;
  });
  await checkTags(results, { jaeger, job });
  await results.check('nestjs-performance analyze reads what its API answers', () => {
    const file = join(folder, 'jaeger.json');
    writeFileSync(file, JSON.stringify({ data: [...found.values()] }));
    const main = join(ROOT, 'dist/cjs/cli/main.js');
    const output = execFileSync(process.execPath, [main, 'analyze', '--fail-on', 'never', file], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
    });
    const findings = JSON.parse(output);
    assert(
      findings.some(({ type }) => type === 'n_plus_one'),
      () => `It finds no N+1 query: ${JSON.stringify(findings).slice(0, 300)}`,
    );
    return `${findings.length} findings`;
  });
}

/** The spans of a trace in both storages by their ids, once they are the same ones. What was sent again is there twice. */
async function spansInBoth(id, storage, jaeger) {
  const bySpan = (spans) => new Map(spans.map((span) => [span.spanId, span]));
  let expected;
  let actual;
  await eventually(
    'the same spans in both storages',
    async () => {
      [expected, actual] = [bySpan(await storage.trace(id)), bySpan(await jaeger.trace(id))];
      return expected.size === actual.size && [...expected.keys()].every((spanId) => actual.has(spanId));
    },
    { timeoutMs: STORED_MS, everyMs: 1000 },
  ).catch((error) => {
    throw new Error(`${error.message}: ${id} has ${actual?.size} of ${expected?.size} spans in Jaeger`);
  });
  return [expected, actual];
}

/** Each search of the guide finds something that is it, and not everything. */
async function checkTags(results, { jaeger, job }) {
  for (const { where, written, tags } of documentedTags()) {
    await results.check(`${where}: ${written}`, async () => {
      const all = await jaeger.search(job);
      const found = await jaeger.search(job, tags);
      assert(found.length > 0, 'It finds nothing');
      assert(found.length < all.length, 'It finds every trace');
      for (const { traceID, spans } of found)
        assert(
          spans.some((span) => hasTags(span, tags)),
          `No span of ${traceID} has it`,
        );
      return `${found.length} of ${all.length} traces`;
    });
  }
}

function hasTags(span, wanted) {
  const values = new Map(span.tags.map(({ key, value }) => [key, String(value)]));
  return Object.entries(wanted).every(([key, value]) => values.get(key) === value);
}

/** Its ids have no leading zeros in some releases. */
function byId(traces) {
  return new Map(traces.map((trace) => [trace.traceID.padStart(32, '0'), trace]));
}

function isSlow({ tags }) {
  return tags.some(({ key, value }) => key === SLOW && value === true);
}

function performanceOf({ span }) {
  return Object.fromEntries(
    Object.entries(span)
      .filter(([name]) => name.startsWith('performance.'))
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}

/** What an engine has to keep of a span. */
function comparable(span) {
  const { name, spanId, parentSpanId = '', status, resource } = span;
  const instance = resource['service.instance.id'];
  return JSON.stringify({ name, spanId, parentSpanId, status, instance, ...performanceOf(span) });
}
