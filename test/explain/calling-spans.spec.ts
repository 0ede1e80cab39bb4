import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Context, context, ROOT_CONTEXT, type Span, SpanKind, trace } from '@opentelemetry/api';
import { map, of } from 'rxjs';
import type { CallSite } from '../../lib/code/call-site.js';
import type { SlowOperation } from '../../lib/explain/slow-operation.js';
import { EventLoopWatchdog } from '../../lib/process/event-loop-watchdog.js';
import type { StackFrame } from '../../lib/process/stall.js';
import { Profiling } from '../../lib/profiling/profiling.js';
import type { CpuAttribution } from '../../lib/profiling/slow-profiles.js';
import { type LiveSpan, liveSpanOf } from '../../lib/spans/live-span.js';
import { setParameters } from '../../lib/tracing/work-tracking.js';
import { until } from '../support/application.js';
import { sleep, startTracing, type TestTracing } from '../support/tracing.js';

const QUERY = { 'db.system.name': 'postgresql', 'db.query.text': 'SELECT * FROM track WHERE id = $1' };

describe('the explanation of an N+1 through a package', () => {
  let tracing: TestTracing;
  beforeEach(() => {
    tracing = startTracing({ httpThresholdMs: 1, detection: { nPlusOne: { minTotalMs: 5 } } });
  });
  afterEach(() => {
    jest.restoreAllMocks();
    return tracing.shutdown();
  });

  const slow = (): SlowOperation => tracing.monitor.getSlowOperations()[0] as SlowOperation;

  /** Executes a query through rxjs, as through any package. */
  async function execute(row: number): Promise<void> {
    let span: Span | undefined;
    of(context.active())
      .pipe(map(startQuery()))
      .subscribe((started) => {
        span = started;
      });
    if (span === undefined) throw new Error('No span was started');
    setParameters(span, [row]);
    await sleep(3);
    span.end();
  }
  const startQuery = (): ((within: Context) => Span) => {
    const tracer = tracing.provider.getTracer('test');
    return tracer.startSpan.bind(tracer, 'pg.query', { kind: SpanKind.CLIENT, attributes: QUERY });
  };

  /** A request with far more JavaScript than waiting for its queries. */
  async function serve(query: (row: number) => PromiseLike<void> = execute): Promise<void> {
    const attributes = { 'http.request.method': 'GET', 'http.route': '/tracks' };
    const tracer = tracing.provider.getTracer('test');
    const root = tracer.startSpan('GET', { kind: SpanKind.SERVER, attributes }, ROOT_CONTEXT);
    const live = liveSpanOf(root) as LiveSpan;
    live.name = 'GET /tracks';
    live.sink.requests.named(live);
    const begun = performance.now();
    await context.with(trace.setSpan(ROOT_CONTEXT, root), async () => {
      for (let row = 0; row < 12; row++) await query(row);
    });
    burnCpu(Math.min(4 * (performance.now() - begun), 3000));
    root.end();
  }

  /** Runs until the process has used the CPU for the given milliseconds. */
  function burnCpu(ms: number): void {
    for (const begun = process.cpuUsage(); process.cpuUsage(begun).user < 1000 * ms; );
  }

  /** What the watchdog would have captured, had it interrupted a block in such code. */
  function block(...stack: StackFrame[]): void {
    jest
      .spyOn(EventLoopWatchdog.prototype, 'stallsWithin')
      .mockImplementation((from) => [{ startedAt: from, endedAt: from + 100, runDelayMs: 0, stack }]);
  }
  const frameAt = (url: string, line: number): StackFrame => ({ functionName: 'any', url, line, column: 1 });

  it('has the JavaScript of the package if it blocked the event loop in the line of the calls', async () => {
    await serve();
    expect(slow()).toMatchObject({ cause: 'cpu' });
    const [finding] = tracing.monitor.getFindings({ type: 'n_plus_one' });
    const line = finding?.callSite?.line ?? 0;
    const inPackage = frameAt(require.resolve('rxjs'), 1);

    block(inPackage, frameAt(__filename, line));
    await serve();
    expect(slow().causes[0]).toMatchObject({ cause: 'n_plus_one', certainty: 'likely', count: 12 });

    block(inPackage, frameAt(__filename, line - 1));
    await serve();
    expect(slow()).toMatchObject({ cause: 'cpu' });

    block(frameAt(__filename, line));
    await serve();
    expect(slow()).toMatchObject({ cause: 'cpu' });
  });

  /** What the profiler would have found. */
  function sample(seen: Partial<CpuAttribution>): void {
    const attribution = {
      topFunctions: [],
      packageCalls: [],
      othersShare: 0,
      hottestLine: undefined,
      ...seen,
    };
    jest.spyOn(Profiling.prototype, 'slowOperation').mockReturnValue({
      files: [],
      found: Promise.resolve({ seen: attribution }),
      snapped: Promise.resolve({}),
    });
  }
  async function profiled(query = execute): Promise<SlowOperation> {
    await serve(query);
    const { id } = slow();
    await until(() => tracing.monitor.getSlowOperation(id)?.topFunctions !== undefined);
    return tracing.monitor.getSlowOperation(id) as SlowOperation;
  }

  it('has what the samples show of the package, and the hottest line where that is first', async () => {
    await serve();
    const [finding] = tracing.monitor.getFindings({ type: 'n_plus_one' });
    const calledFrom = finding?.callSite as CallSite;

    sample({ packageCalls: [{ called: 'rxjs', calledFrom, share: 0.9 }] });
    const called = await profiled();
    expect(called).toMatchObject({ cause: 'n_plus_one', callSite: { line: calledFrom.line } });
    expect(called.causes[0]).toMatchObject({ cause: 'n_plus_one', certainty: 'measured' });

    const hottestLine = { function: 'rate', file: 'offer.mapper.ts', line: 6, column: 3 };
    sample({ packageCalls: [{ called: 'rxjs', calledFrom, share: 0.1 }], hottestLine });
    expect(await profiled()).toMatchObject({ cause: 'cpu', callSite: hottestLine });
  });

  it('has what the samples show of the package without the user, where only an earlier request has the line', async () => {
    const tools = { context, of, map, startQuery, setParameters, sleep };
    // Without a line of the user.
    const lazy = new Function(
      ...Object.keys(tools),
      `return (row) => ({
        then(resolve, reject) {
          let span;
          of(context.active()).pipe(map(startQuery())).subscribe((started) => { span = started; });
          setParameters(span, [row]);
          sleep(3).then(() => span.end()).then(resolve, reject);
        },
      });`,
    )(...Object.values(tools));
    for (let request = 0; request < 2; request++) await serve(lazy);
    const [finding] = tracing.monitor.getFindings({ type: 'n_plus_one' });
    expect(finding?.callSite).toBeDefined();

    sample({ packageCalls: [{ called: 'rxjs', share: 0.9 }] });
    expect(await profiled(lazy)).toMatchObject({ cause: 'n_plus_one', callSite: finding?.callSite });
    sample({ packageCalls: [{ called: 'other', share: 0.9 }] });
    expect(await profiled(lazy)).toMatchObject({ cause: 'cpu' });
  });
});
