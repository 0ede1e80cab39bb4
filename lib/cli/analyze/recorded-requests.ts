import { SpanKind } from '@opentelemetry/api';
import type { RecordedSpan } from './recorded-span.js';

/** A span within its request. */
export interface RequestSpan {
  readonly span: RecordedSpan;
  readonly parent: RequestSpan | undefined;
  readonly depth: number;
}

/** What one process did of a trace, for one request or message: the outermost span first, parents before children. */
export type RecordedRequest = readonly RequestSpan[];

/** The requests that were served in one trace, in each of its services. Each span counts once, however often recorded. */
export function servedRequests(trace: readonly RecordedSpan[]): RecordedRequest[] {
  const byService = new Map<string, Map<string, RecordedSpan>>();
  for (const span of trace) {
    let spans = byService.get(span.service.key);
    if (spans === undefined) {
      spans = new Map();
      byService.set(span.service.key, spans);
    }
    // By its id: an export that was tried again is recorded twice.
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
    // Grows while it is read: each span brings its children.
    for (const parent of request)
      for (const span of children.get(parent.span.spanId) ?? [])
        request.push({ span, parent, depth: parent.depth + 1 });
    requests.push(request);
  }
}

/** Whether a parent of the same service is in another process, or in another request of the same one. */
function isRemote(parent: RecordedSpan, { remoteParent, kind }: RecordedSpan): boolean {
  if (remoteParent !== undefined) return remoteParent;
  return (
    (kind === SpanKind.SERVER && parent.kind === SpanKind.CLIENT) ||
    (kind === SpanKind.CONSUMER && parent.kind === SpanKind.PRODUCER)
  );
}
