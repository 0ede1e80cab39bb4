import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { context, propagation, trace } from '@opentelemetry/api';
import { jobAdders, originOf } from '../../lib/nest/handlers/job-origin.js';
import { startTracing, type TestTracing } from '../support/tracing.js';

interface Options {
  readonly attempts?: number;
  readonly repeat?: object;
  readonly telemetry?: { readonly metadata?: string; readonly omitContext?: boolean };
}

/** Has the methods of a queue, and gives back what it is given. */
class Queue {
  constructor(readonly opts: object = {}) {}
  add(...given: unknown[]): unknown[] {
    return given;
  }
  addBulk(jobs: unknown): unknown {
    return jobs;
  }
  getJobCounts(): void {}
  obliterate(): void {}
}

const adders = new Map(jobAdders(Queue.prototype));
const add = (given: unknown[], queue = new Queue()): unknown[] =>
  adders.get('add')?.call(queue.add as never, queue, given) as unknown[];
const addBulk = (jobs: unknown): unknown => {
  const queue = new Queue();
  return adders.get('addBulk')?.call(queue.addBulk as never, queue, [jobs]);
};

describe('what added a job', () => {
  let tracing: TestTracing;
  beforeEach(() => {
    tracing = startTracing();
  });
  afterEach(() => tracing.shutdown());

  const within = <T>(work: () => T): { result: T; traceId: string } => {
    const span = trace.getTracer('test').startSpan('request');
    const result = context.with(trace.setSpan(context.active(), span), work);
    span.end();
    return { result, traceId: span.spanContext().traceId };
  };
  const traceOf = (options: unknown): string | undefined => originOf(options)?.context.traceId;

  it('is kept in a copy of its options', () => {
    const options: Options = Object.freeze({ attempts: 3 });
    const { result, traceId } = within(() => add(['welcome', { to: 1 }, options]));
    expect(result).toMatchObject(['welcome', { to: 1 }, { attempts: 3 }]);
    expect(traceOf(result[2])).toBe(traceId);
    expect(options).toEqual({ attempts: 3 });
  });

  it('is kept for jobs without options, without a name, and in bulk', () => {
    const named = within(() => add(['welcome', { to: 1 }]));
    expect(traceOf(named.result[2])).toBe(named.traceId);
    const unnamed = within(() => add([{ to: 1 }]));
    expect(unnamed.result).toHaveLength(2);
    expect(traceOf(unnamed.result[1])).toBe(unnamed.traceId);
    const jobs = [{ name: 'a', data: {} }, { name: 'b', data: {}, opts: { attempts: 2 } }, null];
    const bulk = within(() => addBulk(jobs) as { opts: Options }[]);
    expect(bulk.result.map((job) => traceOf(job?.opts))).toEqual([bulk.traceId, bulk.traceId, undefined]);
    expect(bulk.result[1]?.opts.attempts).toBe(2);
    expect(jobs[0]).toEqual({ name: 'a', data: {} });
  });

  it('is not kept outside a trace, for jobs that repeat, and where the application has telemetry of its own', () => {
    expect(add(['welcome', {}])).toEqual(['welcome', {}]);
    for (const options of [
      { repeat: { every: 1000 } },
      { telemetry: { omitContext: true } },
      { telemetry: { metadata: '{}' } },
      'none',
      null,
      new (class {
        attempts = 2;
      })(),
    ] satisfies (Options | string | null)[])
      expect(within(() => add(['welcome', {}, options])).result[2]).toBe(options);
    expect(within(() => add(['welcome', {}], new Queue({ telemetry: {} }))).result).toEqual(['welcome', {}]);
  });

  it('contains no baggage', () => {
    const baggage = propagation.createBaggage({ user: { value: 'secret' } });
    const { result } = within(() =>
      context.with(propagation.setBaggage(context.active(), baggage), () => add(['welcome', {}])),
    );
    expect(result[2]).toBeDefined();
    expect(JSON.stringify(result)).not.toContain('secret');
  });

  it('is unknown for anything else', () => {
    for (const options of [
      undefined,
      null,
      {},
      { telemetry: null },
      { telemetry: { metadata: 7 } },
      { telemetry: { metadata: 'no JSON' } },
      { telemetry: { metadata: 'null' } },
      { telemetry: { metadata: '{"traceparent":"of another kind"}' } },
      { telemetry: { metadata: JSON.stringify({ traceparent: 'x'.repeat(3000) }) } },
    ])
      expect(originOf(options)).toBeUndefined();
    expect(jobAdders(Map.prototype)).toEqual([]);
  });
});
