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

  it('gives what the function gave, and what ran meanwhile', async () => {
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

  it('leaves out what belongs to a request from before', async () => {
    const before = tracer().startSpan('before');
    const late = context.bind(trace.setSpan(context.active(), before), () => query('select 1 from late'));
    const { queries } = await recordPerformance(late);
    before.end();
    expect(queries).toEqual([]);
  });

  it('records within the operation that the test itself runs in', async () => {
    await tracer().startActiveSpan('the test', async (test) => {
      const { queries } = await recordPerformance(() => query('select 1 from within'));
      expect(queries).toMatchObject([{ root: { name: 'the test' } }]);
      test.end();
    });
  });

  it('waits for what began, and says what had not ended in time', async () => {
    const soon = await recordPerformance(() => {
      const late = tracer().startSpan('soon', { kind: SpanKind.SERVER });
      setTimeout(() => late.end(), 50);
    });
    expect(soon).toMatchObject({ unfinished: [], requests: [{ name: 'soon', queryCount: 0 }] });
    const never = await recordPerformance(() => void tracer().startSpan('never'), { settleMs: 20 });
    expect(never.unfinished).toEqual(['never']);
    expect(() => expect(never).toHaveNoRepeatedQueries()).toThrow('What began still runs: never.');
    const both = await recordPerformance(
      () => {
        query('select 1 from t');
        query('select 1 from t');
        tracer().startSpan('never');
      },
      { settleMs: 20 },
    );
    expect(() => expect(both).toHaveNoRepeatedQueries()).toThrow(
      'Still running when the recording ended, and not counted: never.',
    );
  });

  it('waits no longer than it may, under fake timers as well', async () => {
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

  it('passes an error through, and then records nothing more', async () => {
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

  it('counts the innermost of queries within each other, and none for what opens a connection', async () => {
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

  it('counts a method that is tracked as database, where nothing within it is seen', async () => {
    const { queries } = await recordPerformance(() => {
      tracer()
        .startSpan('AlbumsStore.find', { attributes: { 'performance.operation.type': 'database' } })
        .end();
    });
    expect(queries).toMatchObject([{ statement: 'AlbumsStore.find' }]);
  });

  it('refuses a second one at the same time, and leaves the first alone', async () => {
    const first = recordPerformance(async () => {
      await sleep(20);
      query('select 1 from first');
    });
    await expect(recordPerformance(() => {})).rejects.toThrow(
      'recordPerformance: another recording runs. It sees all of the process',
    );
    expect((await first).queries).toHaveLength(1);
  });

  it('keeps no more than it can hold, and says so', async () => {
    const many = (): void => {
      for (let i = 0; i <= 20_000; i++) tracer().startSpan('one').end();
    };
    await expect(recordPerformance(many)).rejects.toThrow('more than 20000 operations began');
  });

  it.each([
    [() => recordPerformance(Promise.resolve() as never), 'the first argument is an object, which is not'],
    [() => recordPerformance(() => {}, { settleMs: -1 }), 'settleMs is -1, which is not allowed'],
  ])('refuses what is not right (%#)', async (call, message) => {
    await expect(call()).rejects.toThrow(message);
    expect(tracing.monitor.recorder).toBeUndefined();
  });
});

describe('recordPerformance where nothing can be seen', () => {
  it('says so when no module runs', async () => {
    await expect(recordPerformance(() => {})).rejects.toThrow(
      'recordPerformance: no PerformanceModule runs in this process, so nothing can be seen. Import PerformanceModule.forRoot()',
    );
  });

  it('says so when a foreign tracer provider has no processor of ours', async () => {
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
