import { SpanKind } from '@opentelemetry/api';
import { WORKS } from '../../spans/work.js';
import { joinPrepared } from './prepared-statements.js';
import type { RecordedRequest, RecordedSpan, RequestSpan } from './recorded-span.js';
import { runningRequests } from './running-requests.js';

/** The requests of a trace, and the spans that belong to none. */
export interface ServedRequests {
  readonly requests: readonly RecordedRequest[];
  readonly outside: readonly RecordedSpan[];
}

/**
 * Finds the requests of a trace: the spans below each incoming request or message. Spans whose parent is missing, as one
 * that was filtered, belong to the request of their service that ran when they started. The spans of another service
 * below a request are a request of their own with the same root, so that copies of two services do not add up. Duplicate
 * spans are ignored.
 */
export function servedRequests(trace: readonly RecordedSpan[]): ServedRequests {
  const all = unique(trace);
  const { roots, children, orphans } = linked(all);
  const requests = roots.map((root) => ({ root, spans: below(root, undefined, children) }));
  const around = runningRequests(orphans, requests);
  for (const orphan of orphans) {
    const request = around.get(orphan);
    if (request === undefined) continue;
    // One by one: as arguments of `push`, the spans of a large trace would exceed the stack.
    for (const span of below(orphan, request.spans[0], children)) request.spans.push(span);
  }
  const inside = new Set(requests.flatMap(({ spans }) => spans.map(({ span }) => span)));
  return {
    requests: requests.flatMap(({ spans }) => byService(spans).map(joinPrepared)),
    outside: all.filter((span) => !inside.has(span)),
  };
}

/** By service and id, as a retried export is recorded twice. */
function unique(trace: readonly RecordedSpan[]): RecordedSpan[] {
  const spans = new Map<string, RecordedSpan>();
  for (const span of trace) spans.set(idIn(span, span.spanId), span);
  return [...spans.values()];
}

function idIn({ service }: RecordedSpan, spanId: string): string {
  return `${service.key}\n${spanId}`;
}

interface Links {
  readonly roots: readonly RecordedSpan[];
  readonly children: ReadonlyMap<RecordedSpan, RecordedSpan[]>;
  /** Spans whose parent is missing. */
  readonly orphans: readonly RecordedSpan[];
}

function linked(spans: readonly RecordedSpan[]): Links {
  const local = new Map(spans.map((span) => [idIn(span, span.spanId), span]));
  const anywhere = new Map(spans.map((span) => [span.spanId, span]));
  const roots: RecordedSpan[] = [];
  const orphans: RecordedSpan[] = [];
  const children = new Map<RecordedSpan, RecordedSpan[]>();
  for (const span of spans) {
    const near = local.get(idIn(span, span.parentId));
    const parent = near ?? anywhere.get(span.parentId);
    if (isServed(span) && (near === undefined || isRemote(near, span))) roots.push(span);
    // The root of a job, or work of another process that no request of this file waits for.
    else if (span.parentId === '' || (span.remoteParent === true && parent?.service.key === span.service.key))
      continue;
    else if (parent !== undefined) {
      const siblings = children.get(parent);
      if (siblings === undefined) children.set(parent, [span]);
      else siblings.push(span);
    } else if (span.remoteParent !== true) orphans.push(span);
  }
  return { roots, children, orphans };
}

function isServed({ kind }: RecordedSpan): boolean {
  return kind === SpanKind.SERVER || kind === SpanKind.CONSUMER;
}

/** Whether the parent of an incoming request belongs to another process or another request. */
function isRemote(parent: RecordedSpan, { remoteParent, kind }: RecordedSpan): boolean {
  if (remoteParent !== undefined) return remoteParent;
  return (
    (kind === SpanKind.SERVER && parent.kind === SpanKind.CLIENT) ||
    (kind === SpanKind.CONSUMER && parent.kind === SpanKind.PRODUCER)
  );
}

/** A span and all spans below it, parents before children. */
function below(
  top: RecordedSpan,
  parent: RequestSpan | undefined,
  children: ReadonlyMap<RecordedSpan, readonly RecordedSpan[]>,
): RequestSpan[] {
  const spans: RequestSpan[] = [{ span: top, parent, depth: parent === undefined ? 0 : parent.depth + 1 }];
  // The array grows during the iteration: each span appends its children.
  for (const around of spans)
    for (const span of children.get(around.span) ?? [])
      spans.push({ span, parent: around, depth: around.depth + 1 });
  return spans;
}

/** Splits a request by the service that recorded its spans. Each part has the same root. */
function byService(spans: readonly RequestSpan[]): RecordedRequest[] {
  const [root] = spans as [RequestSpan];
  const parts = new Map<string, RequestSpan[]>();
  const moved = new Map<RequestSpan, RequestSpan>([[root, root]]);
  for (const one of spans) {
    const { key } = one.span.service;
    let part = parts.get(key);
    if (part === undefined) {
      part = [root];
      parts.set(key, part);
    }
    // The server's own span of a query that its client recorded, too.
    if (one === root || (one.span.service.key !== root.span.service.key && isRecordedAbove(one))) continue;
    let { parent } = one;
    while (parent !== undefined && parent !== root && parent.span.service.key !== key) parent = parent.parent;
    const around = moved.get(parent ?? root) ?? root;
    const own = { span: one.span, parent: around, depth: around.depth + 1 };
    moved.set(one, own);
    part.push(own);
  }
  return [...parts.values()];
}

/** Whether the work of a span is that of the nearest work around it. */
function isRecordedAbove({ span, parent }: RequestSpan): boolean {
  let at = parent;
  while (at !== undefined && (at.span.work >= WORKS || at.span.key === undefined)) at = at.parent;
  return span.key !== undefined && at?.span.key?.fingerprint === span.key.fingerprint;
}
