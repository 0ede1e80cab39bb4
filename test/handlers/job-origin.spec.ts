import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { context, propagation, trace } from '@opentelemetry/api';
import { addedJob, addedJobs, originOf, watchQueue } from '../../lib/nest/handlers/job-origin.js';
import { startTracing, type TestTracing } from '../support/tracing.js';

interface Options {
  readonly attempts?: number;
  readonly repeat?: object;
  readonly telemetry?: { readonly metadata?: string; readonly omitContext?: boolean };
}

/** Has the methods of a queue, and gives back what it is given. */
class Queue {
  constructor(
    readonly opts: object = {},
    readonly defaultJobOptions?: Options,
  ) {
    watchQueue(this);
  }
  add(...given: unknown[]): unknown[] {
    return given;
  }
  addBulk(jobs: unknown): unknown {
    return jobs;
  }
  getJobCounts(): void {}
  obliterate(): void {}
}

const add = (given: unknown[], queue = new Queue()): unknown[] =>
  addedJob.call(queue.add as never, queue, given) as unknown[];
const addBulk = (jobs: unknown): unknown => {
  const queue = new Queue();
  return addedJobs.call(queue.addBulk as never, queue, [jobs]);
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

  it('is kept for jobs without options, and in bulk', () => {
    const single = within(() => add(['welcome', { to: 1 }]));
    expect(traceOf(single.result[2])).toBe(single.traceId);
    const jobs = [{ name: 'a', data: {} }, { name: 'b', data: {}, opts: { attempts: 2 } }, null];
    const bulk = within(() => addBulk(jobs) as { opts: Options }[]);
    expect(bulk.result.map((job) => traceOf(job?.opts))).toEqual([bulk.traceId, bulk.traceId, undefined]);
    expect(bulk.result[1]?.opts.attempts).toBe(2);
    expect(jobs[0]).toEqual({ name: 'a', data: {} });
  });

  it('is that of the job that adds it with its own options', () => {
    const options = within(() => add(['welcome', {}])).result[2];
    const again = within(() => add(['next', {}, options]));
    expect(traceOf(again.result[2])).toBe(again.traceId);
    expect(again.traceId).not.toBe(traceOf(options));
  });

  it('is not kept outside a trace, and leaves the arguments as they are', () => {
    const [given, jobs] = [['welcome', {}], [{ name: 'a', data: {} }]];
    expect(add(given)).toEqual(['welcome', {}]);
    expect(addBulk(jobs)).toBe(jobs);
  });

  it('is not kept for jobs without a name', () => {
    const data = { to: 1 };
    expect(within(() => add([data])).result).toEqual([data]);
    expect(within(() => add([7, data, { attempts: 2 }])).result).toEqual([7, data, { attempts: 2 }]);
  });

  it('is not kept for jobs that repeat, and where the application has telemetry of its own', () => {
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
    for (const queue of [
      new Queue({ telemetry: {} }),
      new Queue({}, { repeat: { every: 1000 } }),
      new Queue({}, { telemetry: { omitContext: true } }),
    ])
      expect(within(() => add(['welcome', {}], queue)).result).toEqual(['welcome', {}]);
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
      {
        get telemetry(): never {
          throw new Error('mine');
        },
      },
    ])
      expect(originOf(options)).toBeUndefined();
  });

  it('is kept by queues of applications that have the module', () => {
    class Named extends Queue {
      override add(): unknown[] {
        return [];
      }
    }
    expect(watchQueue(new Named())).toBe(Queue.prototype);
    for (const other of [new Map(), new Proxy(new Queue(), {}), Object.create(null), undefined])
      expect(watchQueue(other)).toBeUndefined();
    const unknown = Object.create(Queue.prototype) as Queue;
    expect(within(() => add(['welcome', {}], unknown)).result).toEqual(['welcome', {}]);
  });
});
