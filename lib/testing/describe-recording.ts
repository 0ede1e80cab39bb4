import type { SourceMaps } from '../code/source-maps.js';
import type { LiveSpan } from '../spans/live-span.js';
import { WORKS } from '../spans/work.js';
import type { KeptOperation, Recorder } from './recorder.js';
import type {
  PerformanceRecording,
  RecordedOperation,
  RecordedQuery,
  RecordedRequest,
  RecordedRoot,
} from './recording.js';

/** Converts recorded operations to plain data, with final request names and source-mapped call sites. */
export async function describeRecording(
  recorder: Recorder,
  sources: SourceMaps,
): Promise<Omit<PerformanceRecording, 'result' | 'unseen'>> {
  const { kept } = recorder;
  await Promise.all(kept.flatMap(({ frames }) => frames.map(({ url }) => sources.prepare(url))));
  const operations: RecordedOperation[] = [];
  const queries: RecordedQuery[] = [];
  const requests: RecordedRequest[] = [];
  for (const one of kept) {
    const operation = describe(one, sources);
    if (recorder.isQuery(one)) {
      const { statement, values } = one.query as NonNullable<KeptOperation['query']>;
      const query = { ...operation, statement, ...(values === undefined ? {} : { values }) };
      queries.push(query);
      operations.push(query);
    } else if (one.state.root === one.state && one.state.isWaitedFor) {
      const request = { ...operation, id: idOf(one.state), queryCount: 0 };
      requests.push(request);
      operations.push(request);
    } else operations.push(operation);
  }
  const byId = new Map(requests.map((request) => [request.id, request]));
  for (const { root } of queries) {
    const request = byId.get(root?.id ?? '');
    if (request !== undefined) request.queryCount++;
  }
  return { operations, queries, requests, unfinished: recorder.unfinished().map(nameOf) };
}

function describe(
  { state, type, name, durationMs, thresholdMs, error, frames }: KeptOperation,
  sources: SourceMaps,
): RecordedOperation {
  const [callSite, calledFrom] = frames.map((frame) => sources.locate(frame));
  return {
    type,
    name,
    durationMs,
    ...(Number.isFinite(thresholdMs) ? { thresholdMs } : {}),
    error,
    // A query or connection pool span outside of any request is not a request itself.
    ...(state.root === state || state.root.work < WORKS ? {} : { root: rootOf(state.root) }),
    ...(callSite === undefined ? {} : { callSite }),
    ...(calledFrom === undefined ? {} : { calledFrom }),
  };
}

function rootOf(root: LiveSpan): RecordedRoot {
  return { type: root.type ?? 'internal', name: nameOf(root), id: idOf(root) };
}

function idOf({ span }: LiveSpan): string {
  return span.spanContext().spanId;
}

/** The name of a running request may still be unknown. */
function nameOf({ name, span }: LiveSpan): string {
  return name ?? (span as { name?: string }).name ?? '(unnamed)';
}
