import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { context, SpanKind, type Tracer, trace } from '@opentelemetry/api';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { tracingRuntime } from '../../lib/spans/tracing-runtime.js';
import { performanceMatchers, recordPerformance } from '../../lib/testing/index.js';
import { sleep, startTracing, type TestTracing } from '../support/tracing.js';

expect.extend(performanceMatchers);

describe('recordPerformance', () => {
  let tracing: TestTracing;
  beforeEach(() => {
    tracing = startTracing();
  });
  afterEach(() => tracing.shutdown());

  const tracer = (): Tracer => tracing.provider.getTracer('test');
  const query = (text: string): void =>
    tracer()
      .startSpan(text, {
        kind: SpanKind.CLIENT,
        attributes: { 'db.system.name': 'x', 'db.query.text': text },
      })
      .end();

  it('returns the result of the function and the operations meanwhile', async () => {
    query('select 1 from before');
    const recording = await recordPerformance(async () => {
      await sleep(1);
      query('select 1 from within');
      return 'given';
    });
    query('select 1 from after');
    expect(recording).toMatchObject({ result: 'given', requests: [], unfinished: [], unseen: [] });
    expect(recording.queries).toEqual([
      expect.objectContaining({ type: 'database', name: 'SELECT within', statement: 'select ? from within' }),
    ]);
    expect(recording.operations).toEqual(recording.queries);
    expect(JSON.parse(JSON.stringify(recording))).toEqual(recording);
  });

  it('ignores operations of earlier requests', async () => {
    const before = tracer().startSpan('before');
    const late = context.bind(trace.setSpan(context.active(), before), () => query('select 1 from late'));
    const { queries } = await recordPerformance(late);
    before.end();
    expect(queries).toEqual([]);
  });

  it('records within an active span of the test', async () => {
    await tracer().startActiveSpan('the test', async (test) => {
      const { queries } = await recordPerformance(() => query('select 1 from within'));
      expect(queries).toMatchObject([{ root: { name: 'the test' } }]);
      test.end();
    });
  });

  it('waits for running operations, and reports those that do not end in time', async () => {
    const soon = await recordPerformance(() => {
      const late = tracer().startSpan('soon', { kind: SpanKind.SERVER });
      setTimeout(() => late.end(), 50);
    });
    expect(soon).toMatchObject({ unfinished: [], requests: [{ name: 'soon', queryCount: 0 }] });
    const never = await recordPerformance(() => void tracer().startSpan('never'), { settleMs: 20 });
    expect(never.unfinished).toEqual(['never']);
    expect(() => expect(never).toHaveNoRepeatedQueries()).toThrow('Still running: never.');
    const both = await recordPerformance(
      () => {
        query('select 1 from t');
        query('select 1 from t');
        tracer().startSpan('never');
      },
      { settleMs: 20 },
    );
    expect(() => expect(both).toHaveNoRepeatedQueries()).toThrow(
      'Not counted, as still running at the end of the recording: never.',
    );
  });

  it('waits up to settleMs, also with fake timers', async () => {
    jest.useFakeTimers();
    try {
      const { unfinished } = await recordPerformance(() => void tracer().startSpan('never'), {
        settleMs: 20,
      });
      expect(unfinished).toEqual(['never']);
    } finally {
      jest.useRealTimers();
    }
  });

  it('rethrows the error of the function, and stops recording', async () => {
    const error = new Error('of the function');
    const failing = [
      () => Promise.reject(error),
      () => {
        throw error;
      },
    ];
    for (const fn of failing) await expect(recordPerformance(fn)).rejects.toBe(error);
    expect(tracing.monitor.recorder).toBeUndefined();
    await expect(recordPerformance(() => 1)).resolves.toMatchObject({ result: 1 });
  });

  it('counts the innermost of nested queries, and no connects', async () => {
    const { queries } = await recordPerformance(() =>
      tracer().startActiveSpan(
        'mongoose.User.find',
        { kind: SpanKind.CLIENT, attributes: { 'db.system.name': 'mongodb', 'db.operation.name': 'find' } },
        (outer) => {
          tracer().startSpan('pg.connect', {
            kind: SpanKind.CLIENT,
            attributes: { 'db.system.name': 'postgresql' },
          });
          query('select 1 from inner');
          outer.end();
        },
      ),
    );
    expect(queries.map(({ name }) => name)).toEqual(['SELECT inner']);
  });

  it('counts a method tracked as database without recorded queries', async () => {
    const { queries } = await recordPerformance(() => {
      tracer()
        .startSpan('AlbumsStore.find', { attributes: { 'performance.operation.type': 'database' } })
        .end();
    });
    expect(queries).toMatchObject([{ statement: 'AlbumsStore.find' }]);
  });

  it('rejects a concurrent recording without affecting the first', async () => {
    const first = recordPerformance(async () => {
      await sleep(20);
      query('select 1 from first');
    });
    await expect(recordPerformance(() => {})).rejects.toThrow(
      'recordPerformance: another recording is running. Recordings cover the whole process',
    );
    expect((await first).queries).toHaveLength(1);
  });

  it('rejects a recording above its limit', async () => {
    const many = (): void => {
      for (let i = 0; i <= 20_000; i++) tracer().startSpan('one').end();
    };
    await expect(recordPerformance(many)).rejects.toThrow(
      'more than 20000 operations. Record fewer requests',
    );
  });

  it.each([
    [
      () => recordPerformance(Promise.resolve() as never),
      'Invalid first argument: received an object, expected a function',
    ],
    [() => recordPerformance(() => {}, { settleMs: -1 }), 'Invalid settleMs: received -1'],
  ])('rejects invalid arguments (%#)', async (call, message) => {
    await expect(call()).rejects.toThrow(message);
    expect(tracing.monitor.recorder).toBeUndefined();
  });
});

describe('recordPerformance without instrumentation', () => {
  it('rejects without a running module', async () => {
    await expect(recordPerformance(() => {})).rejects.toThrow(
      'recordPerformance: no PerformanceModule runs in this process. Import PerformanceModule.forRoot()',
    );
  });

  it('rejects a tracer provider without SlowSpanProcessor', async () => {
    const provider = new NodeTracerProvider();
    const monitor = new PerformanceMonitor({ alerts: { enabled: false } });
    tracingRuntime.monitors.push(monitor);
    try {
      await expect(recordPerformance(() => {})).rejects.toThrow('has no SlowSpanProcessor');
    } finally {
      tracingRuntime.monitors.pop();
      monitor.shutdown();
      await provider.shutdown();
    }
  });
});
