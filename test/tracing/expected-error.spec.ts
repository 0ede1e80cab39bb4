import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BadGatewayException, HttpException, NotFoundException } from '@nestjs/common';
import { type Attributes, context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { withPerformanceTracking } from '../../lib/nest/decorators/track-performance.decorator.js';
import type { HttpEvidenceSource } from '../../lib/operation/operation.js';
import { isErrorOfCaller } from '../../lib/spans/expected-error.js';
import { liveSpanOf } from '../../lib/spans/live-span.js';
import { startTracing, type TestTracing } from '../support/tracing.js';

describe('an expected error', () => {
  let tracing: TestTracing;
  beforeEach(() => {
    tracing = startTracing();
  });
  afterEach(() => tracing.shutdown());

  /** The number of errors of all types, and of expected ones. */
  function counts(): [errors: number, expected: number] {
    const types = Object.values(tracing.monitor.getStats().byType);
    return [
      types.reduce((sum, { errorCount }) => sum + errorCount, 0),
      types.reduce((sum, { expectedErrorCount = 0 }) => sum + expectedErrorCount, 0),
    ];
  }
  const failed = (attributes: Attributes, kind = SpanKind.CLIENT, thrown?: Error) => {
    const span = tracing.provider.getTracer('test').startSpan('work', { kind, attributes });
    if (thrown !== undefined) span.recordException(thrown);
    span.setStatus({ code: SpanStatusCode.ERROR }).end();
  };
  const call = { 'http.request.method': 'GET', 'server.address': 'shop' };

  it.each<[string, Attributes, SpanKind, Error?]>([
    ['an outgoing call with a 404 response', { ...call, 'http.response.status_code': 404 }, SpanKind.CLIENT],
    ['the same by the old convention', { 'http.method': 'GET', 'http.status_code': 429 }, SpanKind.CLIENT],
    [
      'an incoming request with a 4xx response whose span an exception filter marked',
      { ...call, 'http.response.status_code': 400 },
      SpanKind.SERVER,
    ],
    [
      'a command of the handshake of a Redis client',
      { 'db.system.name': 'redis', 'db.operation.name': 'CLIENT' },
      SpanKind.CLIENT,
    ],
    [
      'the same by the old convention',
      { 'db.system': 'redis', 'db.statement': 'client SETINFO LIB-NAME ioredis' },
      SpanKind.CLIENT,
    ],
    ['gRPC NOT_FOUND', { 'rpc.system': 'grpc', 'rpc.grpc.status_code': 5 }, SpanKind.CLIENT],
    [
      'the same by the new convention',
      { 'rpc.system.name': 'grpc', 'rpc.response.status_code': 'INVALID_ARGUMENT' },
      SpanKind.SERVER,
    ],
    ['an exception of Nest with a 4xx', {}, SpanKind.INTERNAL, new NotFoundException()],
  ])('is %s', (_what, attributes, kind, ...[thrown]) => {
    failed(attributes, kind, thrown);
    expect(counts()).toEqual([1, 1]);
  });

  it.each<[string, Attributes, SpanKind, Error?]>([
    ['an outgoing call with a 503 response', { ...call, 'http.response.status_code': 503 }, SpanKind.CLIENT],
    ['an outgoing call without a response', call, SpanKind.CLIENT, new Error('ECONNREFUSED')],
    ['gRPC UNAVAILABLE', { 'rpc.system': 'grpc', 'rpc.grpc.status_code': 14 }, SpanKind.CLIENT],
    ['gRPC DEADLINE_EXCEEDED', { 'rpc.system': 'grpc', 'rpc.response.status_code': '4' }, SpanKind.CLIENT],
    ['a statement', { 'db.system.name': 'postgresql' }, SpanKind.CLIENT, new Error('no such table')],
    [
      'a wrong password of Redis',
      { 'db.system.name': 'redis', 'db.operation.name': 'HELLO' },
      SpanKind.CLIENT,
      new Error('WRONGPASS'),
    ],
    [
      'another command of Redis',
      { 'db.system.name': 'redis', 'db.operation.name': 'AUTH' },
      SpanKind.CLIENT,
      new Error('WRONGPASS'),
    ],
    ['an exception of Nest with a 5xx', {}, SpanKind.INTERNAL, new BadGatewayException()],
  ])('is not %s', (_what, attributes, kind, ...[thrown]) => {
    failed(attributes, kind, thrown);
    expect(counts()).toEqual([1, 0]);
  });

  it('is an exception of a method that Nest answers with 4xx, whatever its class', () => {
    class Sold extends HttpException {}
    const thrown = [
      new Sold('sold', 409),
      Object.assign(new Error('too large'), { statusCode: 413 }),
      new Sold('broken', 500),
      new Error('broken'),
      null,
    ];
    for (const error of thrown) {
      expect(() =>
        withPerformanceTracking('calculation', () => {
          throw error;
        }),
      ).toThrow();
    }
    expect(counts()).toEqual([5, 2]);
  });

  it('is determined without throwing, for any thrown value', () => {
    const hostile = {
      get statusCode(): number {
        throw new Error('mine');
      },
    };
    const broken = {
      getStatus: () => {
        throw new Error('mine');
      },
    };
    for (const error of [hostile, broken, { statusCode: '404' }, 'text', undefined])
      expect(isErrorOfCaller(error)).toBe(false);
  });

  it.each([
    [true, 1],
    [undefined, 0],
  ])('is an error after the client has disconnected: %s', (aborted, expected) => {
    const tracer = tracing.provider.getTracer('test');
    const root = tracer.startSpan('GET', {
      kind: SpanKind.SERVER,
      attributes: { 'http.request.method': 'GET' },
    });
    const child = tracer.startSpan('work', {}, trace.setSpan(context.active(), root));
    const live = liveSpanOf(root);
    const http: HttpEvidenceSource = { statusCode: 200, evidence: () => ({ statusCode: 200, aborted }) };
    if (live !== undefined) live.http = http;
    root.end();
    child.setStatus({ code: SpanStatusCode.ERROR }).end();
    expect(counts()).toEqual([1, expected]);
  });
});
