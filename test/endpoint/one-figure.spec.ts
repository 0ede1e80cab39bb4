import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { context, propagation, SpanKind, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import type { CallSite } from '../../lib/code/call-site.js';
import type { Overview } from '../../lib/dashboard/overview.js';
import type { Finding } from '../../lib/explain/finding.js';
import type { DetailedSlowOperation, SlowOperation } from '../../lib/explain/slow-operation.js';
import type { SlowQuery } from '../../lib/explain/slow-queries.js';
import { place } from '../../lib/explain/words.js';
import type { PerformanceStats } from '../../lib/report/performance-stats.js';
import type { PerformanceReport } from '../../lib/report/report.js';
import { SlowSpanProcessor } from '../../lib/tracing/slow-span.processor.js';
import { fetchFromOutside, startApplication, type TestApplication, until } from '../support/application.js';

const BLOCK_MS = 213;
const TEXT = 'SELECT title FROM album WHERE id = $1';
let blockedMs = 0;

function block(): void {
  const from = performance.now();
  while (performance.now() < from + BLOCK_MS);
  blockedMs = performance.now() - from;
}

@Controller()
class ShopController {
  @Get('block')
  block(): string {
    block();
    return 'done';
  }
  @Get('line')
  line(): string {
    block();
    return 'done';
  }
  @Get('query')
  async query(): Promise<string> {
    const attributes = { 'db.system.name': 'postgresql', 'db.query.text': TEXT };
    const span = trace.getTracer('driver').startSpan('query', { kind: SpanKind.CLIENT, attributes });
    await sleep(150);
    span.end();
    return 'done';
  }
}

describe('a figure that is shown in several places', () => {
  const exporter = new InMemorySpanExporter();
  let application: TestApplication;
  let provider: NodeTracerProvider;

  beforeAll(async () => {
    provider = new NodeTracerProvider({
      spanProcessors: [new SimpleSpanProcessor(exporter), new SlowSpanProcessor()],
    });
    provider.register();
    application = await startApplication(
      'express',
      { controllers: [ShopController] },
      { httpThresholdMs: 100, databaseThresholdMs: 100 },
    );
    await until(() => application.monitor.getStats().eventLoopWatchdog.state !== 'off');
    for (const route of ['block', 'query'])
      await (await fetchFromOutside(`${application.url}/${route}`)).text();
    await until(() => application.monitor.getSlowOperations().length === 3);
    // The sample that contains the block follows in a later turn.
    await sleep(600);
  });
  afterAll(async () => {
    await application.app.close();
    await provider.shutdown();
    trace.disable();
    context.disable();
    propagation.disable();
  });

  const read = async <T>(path: string): Promise<T> =>
    (await (await fetchFromOutside(`${application.url}/performance/${path}`)).json()) as T;
  const text = async (path: string): Promise<string> =>
    (await fetchFromOutside(`${application.url}/performance/${path}`)).text();

  async function slow(name: string): Promise<DetailedSlowOperation> {
    const { id } = application.monitor.getSlowOperations().find((one) => one.name === name) ?? {};
    return read<DetailedSlowOperation>(`slow/${id}`);
  }

  it.each(['GET /block', 'GET /query', 'SELECT album'])('agrees with the span of %s', async (name) => {
    const { spanId, resources, ...operation } = await slow(name);
    const span = exporter.getFinishedSpans().find((one) => one.spanContext().spanId === spanId);
    const figures = Object.entries(span?.attributes ?? {}).filter(([key]) => key.startsWith('performance.'));
    expect(Object.fromEntries(figures)).toMatchObject({
      'performance.duration': operation.durationMs,
      'performance.threshold': operation.thresholdMs,
      'performance.slowness_ratio': operation.slownessRatio,
      'performance.self_time_ms': operation.selfTimeMs,
      'performance.cause': operation.cause,
      'performance.event_loop.utilization': resources?.eventLoopUtilization,
      'performance.event_loop.delay_max_ms': resources?.eventLoopDelayMaxMs,
      'performance.cpu.user_ms': resources?.cpuUserMs,
      'performance.cpu.system_ms': resources?.cpuSystemMs,
      'performance.gc.pause_ms': resources?.gcPauseMs,
      'performance.memory.heap_used_mb': resources?.heapUsedMb,
      'performance.memory.heap_total_mb': resources?.heapTotalMb,
      'performance.memory.rss_mb': resources?.rssMb,
    });
    expect(span?.attributes['performance.cpu.thread_ms']).toBe(resources?.threadCpuMs);
  });

  it.each(['GET /block', 'GET /query', 'SELECT album'])('agrees on every page of %s', async (name) => {
    const { durationMs, explanation, resources, id } = await slow(name);
    const { operations, byType } = await read<PerformanceStats>('stats');
    const overview = await read<Overview>('overview');
    const report = await read<PerformanceReport>('report.json');
    const [of] = operations.filter((one) => one.name === name);
    expect(of).toMatchObject({ count: 1, slowCount: 1, maxDuration: durationMs, totalMs: durationMs });
    expect(of).toMatchObject({ p50: durationMs, p99: durationMs, windows: { minute: { count: 1 } } });
    expect(byType[of?.type ?? '']?.maxDuration).toBeGreaterThanOrEqual(durationMs);
    const shown = overview.operations.find((one) => one.name === name);
    expect(shown).toMatchObject({ totalMs: durationMs, excessMs: of?.excessMs, minute: { count: 1 } });
    // A statement is part of the entry of its request.
    if (name === 'SELECT album')
      expect(overview.slow.find((one) => one.name === 'GET /query')?.within).toEqual([
        { type: 'database', name, count: 1, worstMs: durationMs },
      ]);
    else expect(overview.slow.find((one) => one.id === id)).toMatchObject({ durationMs, explanation });
    expect(report.slow.find((one) => one.id === id)).toMatchObject({ durationMs, explanation, resources });
    expect(report.slowest.find((one) => one.name === name)).toMatchObject({ count: 1, p50Ms: durationMs });
    expect((await text('report.md')).replaceAll('\\', '')).toContain(explanation.slice(0, 60));
    expect(await text('report.html')).toContain(`${Math.round(durationMs)} ms`);
  });

  it('agrees on a block: its delay, and the peak of the process', async () => {
    const { resources, durationMs } = await slow('GET /block');
    expect(resources?.eventLoopDelayMaxMs).toBeGreaterThanOrEqual(Math.floor(blockedMs));
    expect(resources?.eventLoopDelayMaxMs).toBeLessThanOrEqual(durationMs);
    const { resources: reported } = await read<PerformanceReport>('report.json');
    expect(reported.peak?.eventLoopDelayMaxMs).toBeGreaterThanOrEqual(Math.floor(blockedMs));
  });

  it('agrees on a statement', async () => {
    const { durationMs, statement } = await slow('SELECT album');
    const [query] = await read<SlowQuery[]>('queries');
    const { queries } = await read<PerformanceReport>('report.json');
    expect(query).toMatchObject({ count: 1, slowCount: 1, totalMs: durationMs });
    expect(queries).toEqual([query]);
    expect(query?.fingerprint).toBe(statement);
  });

  it('agrees with the metrics', async () => {
    const metrics = await text('metrics');
    const { byType, totalSlowOperations } = await read<PerformanceStats>('stats');
    const slowOperations = [...metrics.matchAll(/^performance_slow_operations_total\{.*\} (\d+)$/gm)];
    expect(slowOperations.map(([, value]) => Number(value)).reduce((a, b) => a + b, 0)).toBe(
      totalSlowOperations,
    );
    const database = byType['database']?.maxDuration ?? 0;
    const sum = /^performance_operation_duration_seconds_sum\{[^}]*database[^}]*\} ([\d.]+)$/m.exec(
      metrics,
    )?.[1];
    expect(Number(sum) * 1000).toBeCloseTo(database, 0);
  });

  it('agrees on the line of a block', async () => {
    const isLine = ({ route }: { route: string }): boolean => route === 'GET /line';
    const findings = (): Finding[] =>
      application.monitor.getFindings({ type: 'event_loop_block' }).filter(isLine);
    const latest = (): SlowOperation | undefined =>
      application.monitor.getSlowOperations().find(({ name }) => name === 'GET /line');
    // On a busy machine the thread that captures stacks may run too late.
    for (let i = 0; i < 10 && latest()?.callSite === undefined; i++) {
      await (await fetchFromOutside(`${application.url}/line`)).text();
      await sleep(300);
    }
    const { callSite } = await slow('GET /line');
    expect(callSite).toMatchObject({ function: 'block', file: 'test/endpoint/one-figure.spec.ts' });
    await until(() => findings()[0]?.callSite !== undefined);
    expect((await read<Finding[]>('findings?type=event_loop_block')).find(isLine)).toMatchObject({
      callSite,
    });
    expect((await text('report.md')).replaceAll('\\', '')).toContain(place(callSite as CallSite));
  });
});
