// The traces of the applications: what is slow is stored, the queries select it, metrics and profiles lead to it.

import { pprof } from '../profiles.mjs';
import { assert, eventually } from '../results.mjs';
import { matches, parseTraceQl } from '../traceql.mjs';

/** decision_wait, batches, and time for a busy machine. */
const STORED_MS = 90_000;
const THRESHOLD_SECONDS = 0.15;
const PPROF_PROFILES = 20;

/** Every slow operation that an instance reports has its trace, whole, in the storage. */
export function checkSlowTraces(results, { shops, storage }) {
  return results.check('the trace of every slow operation of the instances is stored', async () => {
    const ids = new Set();
    for (const shop of shops) for (const { traceId } of await shop.ask('slow')) ids.add(traceId);
    assert(ids.size > 10, `Only ${ids.size} slow operations`);
    const missing = new Set(ids);
    await eventually(
      'all slow traces stored',
      async () => {
        for (const id of missing) if ((await storage.trace(id)).length > 0) missing.delete(id);
        return missing.size === 0;
      },
      { timeoutMs: STORED_MS, everyMs: 2000 },
    ).catch((error) => {
      throw new Error(
        `${error.message}: ${missing.size} of ${ids.size} are missing, such as ${[...missing][0]}`,
      );
    });
    return `${ids.size} traces`;
  });
}

export function checkWholeTraces(results, { spans }) {
  return results.check('no span lacks the parent that it names', () => {
    const ids = new Set(spans.map(({ spanId }) => spanId));
    // The callers of the store are outside: its root spans have no parent.
    const orphans = spans.filter(({ parentSpanId }) => parentSpanId !== undefined && !ids.has(parentSpanId));
    assert(orphans.length === 0, `${orphans.length} of ${spans.length}, such as ${orphans[0]?.name}`);
    return `${spans.length} spans`;
  });
}

/** Each query selects what it is for, and not everything. */
export async function checkTraceQl(results, { queries, spans }) {
  for (const { where, traceql } of queries) {
    await results.check(`${where}: ${traceql}`, () => {
      const query = parseTraceQl(traceql);
      const selected = spans.filter((span) => matches(query, span));
      assert(selected.length > 0, 'It selects nothing');
      assert(selected.length < spans.length, 'It selects every span');
      for (const field of query.selected) {
        const has = selected.filter(({ span }) => span[field.slice('span.'.length)] !== undefined);
        assert(has.length > 0, `No span that it selects has ${field}`);
      }
      return `${selected.length} of ${spans.length} spans`;
    });
  }
}

/** The exemplar of a slow request leads to its trace. */
export function checkExemplars(results, { prometheus, storage, job }) {
  return results.check('exemplars of slow requests lead to their traces', async () => {
    const selector = `http_server_request_duration_seconds_bucket{job="${job}"}`;
    const slow = (await prometheus.exemplars(selector)).filter(({ value }) => value > 2 * THRESHOLD_SECONDS);
    assert(slow.length > 0, 'There is no exemplar of a slow request');
    const missing = [];
    for (const { labels } of slow) {
      const found = await eventually(
        'the trace stored',
        async () => (await storage.trace(labels.trace_id)).length > 0,
        { timeoutMs: 30_000, everyMs: 1000 },
      ).catch(() => false);
      if (!found) missing.push(labels.trace_id);
    }
    assert(missing.length === 0, `${missing.length} of ${slow.length} have no trace, such as ${missing[0]}`);
    return `${slow.length} exemplars`;
  });
}

/** A profile has samples of spans, and these spans refer to it. */
export function checkProfiles(results, { ingest, storage, spans, job }) {
  return results.check('profiles are found by the ids of spans', async () => {
    const referring = new Set(
      spans.map(({ span }) => span['pyroscope.profile.id']).filter((id) => id !== undefined),
    );
    assert(referring.size > 0, 'No span has pyroscope.profile.id');
    const matched = new Set();
    // Of the whole run: the spans of the last ones are not stored yet.
    const step = Math.ceil(ingest.profiles.length / PPROF_PROFILES);
    const profiles = ingest.profiles.filter((_, index) => index % step === 0);
    for (const { name, file } of profiles) {
      assert(name.startsWith(`${job}{`), `The profile is of "${name}"`);
      const tags = await pprof(file, '-tags');
      for (const [, id] of tags.matchAll(/\b([0-9a-f]{16})$/gm)) {
        if (!referring.has(id) || matched.has(id)) continue;
        const top = await pprof(file, '-top', `-tagfocus=span_id=${id}`);
        assert(/\d+%/.test(top), `No samples for span ${id}`);
        matched.add(id);
      }
    }
    assert(
      matched.size > 0,
      `No profile of ${ingest.profiles.length} has samples of the ${referring.size} spans`,
    );
    const [id] = matched;
    const { traceId } = spans.find(({ span }) => span['pyroscope.profile.id'] === id);
    assert((await storage.trace(traceId)).length > 0, 'Its trace is not stored');
    return `${matched.size} spans in ${profiles.length} of ${ingest.profiles.length} profiles`;
  });
}
