import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Attributes, context, ROOT_CONTEXT, type Span, SpanKind, trace } from '@opentelemetry/api';
import { tracingRuntime } from '../../lib/spans/tracing-runtime.js';
import { startTracing, type TestTracing } from '../support/tracing.js';

const QUERY = { 'db.system.name': 'postgresql', 'db.query.text': 'SELECT 1' };

describe('the operation that blocks the event loop', () => {
  let tracing: TestTracing;
  beforeEach(() => {
    tracing = startTracing({});
  });
  afterEach(() => tracing.shutdown());

  const start = (kind: SpanKind, attributes: Attributes, parent?: Span): Span =>
    tracing.provider
      .getTracer('test')
      .startSpan(
        'GET /albums',
        { kind, attributes },
        parent ? trace.setSpan(ROOT_CONTEXT, parent) : ROOT_CONTEXT,
      );
  const serve = (route: string): Span =>
    start(SpanKind.SERVER, { 'http.request.method': 'GET', 'http.route': route });
  const activeIn = (span: Span): unknown => {
    const json = context.with(trace.setSpan(ROOT_CONTEXT, span), () => tracingRuntime.activeOperation());
    return json === '' ? undefined : JSON.parse(json);
  };

  it('is that of the active span, even after its response', () => {
    const request = serve('/albums');
    expect(activeIn(request)).toMatchObject({ name: 'GET /albums', rootName: 'GET /albums' });
    expect(activeIn(start(SpanKind.CLIENT, QUERY, request))).toMatchObject({ rootName: 'GET /albums' });
    request.end();
    expect(activeIn(request)).toMatchObject({ rootName: 'GET /albums' });
  });

  it('is no call that has ended: a connection delivers the results of others in its context', () => {
    const request = serve('/albums');
    const query = start(SpanKind.CLIENT, QUERY, request);
    query.end();
    expect(activeIn(query)).toMatchObject({ name: 'GET /albums' });
    request.end();
    expect(activeIn(query)).toBeUndefined();
    const alone = start(SpanKind.CLIENT, QUERY);
    alone.end();
    expect(activeIn(alone)).toBeUndefined();
  });
});
