import { SpanKind } from '@opentelemetry/api';
import type { RecordedSpan } from './recorded-span.js';

/** A span within its request. */
export interface RequestSpan {
  readonly span: RecordedSpan;
  readonly parent: RequestSpan | undefined;
  readonly depth: number;
}

/** The spans of one process for one request or message: the outermost first, parents before children. */
export type RecordedRequest = readonly RequestSpan[];

/** The requests in a trace, by service. Duplicate spans are ignored. */
export function servedRequests(trace: readonly RecordedSpan[]): RecordedRequest[] {
  const byService = new Map<string, Map<string, RecordedSpan>>();
  for (const span of trace) {
    let spans = byService.get(span.service.key);
    if (spans === undefined) {
      spans = new Map();
      byService.set(span.service.key, spans);
    }
    // By id, as a retried export is recorded twice.
    spans.set(span.spanId, span);
  }
  const requests: RecordedRequest[] = [];
  for (const spans of byService.values()) collect(spans, requests);
  return requests;
}

function collect(spans: ReadonlyMap<string, RecordedSpan>, requests: RecordedRequest[]): void {
  const roots: RecordedSpan[] = [];
  const children = new Map<string, RecordedSpan[]>();
  for (const span of spans.values()) {
    const parent = spans.get(span.parentId);
    if (parent === undefined || isRemote(parent, span)) {
      if (span.kind === SpanKind.SERVER || span.kind === SpanKind.CONSUMER) roots.push(span);
      continue;
    }
    const siblings = children.get(span.parentId);
    if (siblings === undefined) children.set(span.parentId, [span]);
    else siblings.push(span);
  }
  for (const root of roots) {
    const request: RequestSpan[] = [{ span: root, parent: undefined, depth: 0 }];
    // The array grows during the iteration: each span appends its children.
    for (const parent of request)
      for (const span of children.get(parent.span.spanId) ?? [])
        request.push({ span, parent, depth: parent.depth + 1 });
    requests.push(request);
  }
}

/** Whether a parent of the same service belongs to another process or another request. */
function isRemote(parent: RecordedSpan, { remoteParent, kind }: RecordedSpan): boolean {
  if (remoteParent !== undefined) return remoteParent;
  return (
    (kind === SpanKind.SERVER && parent.kind === SpanKind.CLIENT) ||
    (kind === SpanKind.CONSUMER && parent.kind === SpanKind.PRODUCER)
  );
}
