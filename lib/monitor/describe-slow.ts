import { isSpanContextValid } from '@opentelemetry/api';
import type { Explanation, TimedExplanation } from '../explain/explainer.js';
import type { RequestAnalyzer } from '../explain/request-analyzer.js';
import type { SlowOperation } from '../explain/slow-operation.js';
import type { DriverStatus } from '../operation/driver-status.js';
import { cpuTimeMs } from '../process/cpu-time.js';
import { loopIdleMs } from '../process/loop-idle.js';
import type { ResourceEvidence } from '../process/resource-sampler.js';
import type { CapturedFile, Profiling, SlowCapture } from '../profiling/profiling.js';
import type { GuardedOperation } from '../spans/ended-operation.js';
import type { LiveSpan } from '../spans/live-span.js';
import { round } from '../text/round.js';

/** What a slow operation is described with, beside itself. */
interface SlowDependencies {
  readonly resources: ResourceEvidence;
  readonly usuallyMs: number | undefined;
  /** The same across restarts, once enough is known. */
  readonly baseline: { readonly p50Ms: number; readonly p95Ms: number } | undefined;
  /** The threshold is one by what is usual. */
  readonly adaptive: boolean;
  readonly diagnostics: RequestAnalyzer;
  readonly profiling: Profiling;
  /** How long the event loop was busy within it, where that is known. */
  readonly busyMs: number | undefined;
  readonly drivers: readonly DriverStatus[];
}

let sequence = 0;

/**
 * Puts together what is kept of a slow operation, with its explanation. That is told better once the source maps of
 * its `lines` have been read, and once it is known which code ran (`profiled`).
 */
export function describeSlow(
  operation: GuardedOperation,
  thresholdMs: number,
  state: LiveSpan | undefined,
  now: number,
  around: SlowDependencies,
): {
  slow: SlowOperation;
  files: readonly CapturedFile[];
  lines?: Promise<Explanation>;
  profiled?: Promise<Partial<SlowOperation>>;
} {
  const { type, name, durationMs, error, span, statement } = operation;
  const { resources, baseline } = around;
  const given = span?.spanContext();
  const context = given !== undefined && isSpanContextValid(given) ? given : undefined;
  const http = (operation.http ?? state?.http)?.evidence();
  const { parentSpanContext } = (span ?? {}) as { parentSpanContext?: { spanId: string } };
  const root = state === undefined || state.root === state ? undefined : state.root;
  const explained = explain(operation, thresholdMs, state, now, http, around);
  const capture = state === undefined ? undefined : captureSlow(operation, state, now, around);
  const files = capture?.files ?? [];
  const slow: SlowOperation = {
    id: context?.spanId ?? `${Date.now().toString(36)}-${++sequence}`,
    timestamp: Date.now(),
    type,
    name,
    durationMs: round(durationMs),
    thresholdMs,
    slownessRatio: thresholdMs > 0 ? round(durationMs / thresholdMs) : round(durationMs),
    ...(state === undefined ? {} : { selfTimeMs: round(Math.max(0, durationMs - state.childrenMs(now))) }),
    error,
    ...(baseline === undefined
      ? {}
      : {
          baseline: {
            p50Ms: round(baseline.p50Ms),
            p95Ms: round(baseline.p95Ms),
            ratio: baseline.p50Ms > 0 ? round(durationMs / baseline.p50Ms) : round(durationMs),
          },
        }),
    ...(around.adaptive ? { adaptive: true as const } : {}),
    ...explained.now,
    traceId: context?.traceId ?? '',
    spanId: context?.spanId ?? '',
    ...(parentSpanContext === undefined ? {} : { parentSpanId: parentSpanContext.spanId }),
    ...(root?.name === undefined ? {} : { root: { type: root.type ?? 'internal', name: root.name } }),
    resources,
    ...Object.fromEntries(
      files.map(({ type: what, id }) => [what === 'cpu' ? 'profile' : 'heapSnapshot', id]),
    ),
    ...(http === undefined ? {} : { http }),
    ...(statement === undefined ? {} : { statement }),
  };
  return { slow, files, lines: explained.lines, profiled: capture && profiled(capture, explained, files) };
}

/** Of what has code of its own, the code that ran is captured. */
function captureSlow(
  { type, name }: GuardedOperation,
  state: LiveSpan,
  now: number,
  { diagnostics, profiling, busyMs }: SlowDependencies,
): SlowCapture | undefined {
  if (state.isWork) return undefined;
  const { traceId, spanId } = state.span.spanContext();
  const alone = diagnostics.explains && diagnostics.hadNoConcurrentRequests(state);
  const sampled = {
    from: state.startedAt,
    to: now,
    number: state.executionNumber,
    alone,
    whole: state.root === state,
  };
  const run = { type, name, traceId, spanId, sampled };
  return profiling.slowOperation(run, `${type} ${name}`, busyMs ?? now - state.startedAt);
}

async function profiled(
  { found, snapped }: SlowCapture,
  { lines, tell }: TimedExplanation,
  files: readonly CapturedFile[],
): Promise<Partial<SlowOperation>> {
  await lines;
  const { seen, kept } = await found;
  const told = seen === undefined ? undefined : await tell?.(seen);
  const has = (what: CapturedFile['type']): boolean => files.some(({ type }) => type === what);
  const lost = kept === undefined && has('cpu');
  const lostSnapshot = has('heap_snapshot') && (await snapped).kept === undefined;
  // What was promised and could not be written is taken back.
  return {
    ...told,
    ...(lost ? { profile: undefined } : {}),
    ...(lostSnapshot ? { heapSnapshot: undefined } : {}),
  };
}

function explain(
  { type, name, durationMs }: GuardedOperation,
  thresholdMs: number,
  state: LiveSpan | undefined,
  now: number,
  http: SlowOperation['http'],
  { diagnostics, resources, usuallyMs, drivers }: SlowDependencies,
): TimedExplanation {
  if (state === undefined || !diagnostics.explains) {
    const why = diagnostics.explains
      ? 'What it waited for was not seen: its spans belong to a tracer provider without SlowSpanProcessor.'
      : 'Why is not looked into: detection.explain is false.';
    const explanation = `${name} took ${Math.round(durationMs)} ms (threshold ${thresholdMs}). ${why}`;
    return { now: { cause: 'unknown', causeShare: 1, causes: [], explanation } };
  }
  const alone = diagnostics.hadNoConcurrentRequests(state);
  const facts = {
    type,
    name,
    durationMs,
    thresholdMs,
    usuallyMs,
    http,
    gcMs: resources.gcPauseMs,
    cpuMs: Math.min(resources.cpuUserMs + resources.cpuSystemMs, cpuSince(state)),
    alone,
    drivers,
  };
  return diagnostics.explain(facts, state, now, loopIdleMs());
}

/** What the process used since the root of an operation began, where that was noticed: it can't have used more itself. */
function cpuSince({ root }: LiveSpan): number {
  return root.cpuStartMs > 0 ? cpuTimeMs() - root.cpuStartMs : Number.POSITIVE_INFINITY;
}
