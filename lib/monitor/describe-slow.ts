import { isSpanContextValid, TraceFlags } from '@opentelemetry/api';
import type { TimedExplanation } from '../explain/explainer.js';
import type { RequestAnalyzer } from '../explain/request-analyzer.js';
import type { SlowOperation } from '../explain/slow-operation.js';
import type { DriverStatus } from '../operation/driver-status.js';
import { EXPLAINING } from '../overhead/sheddable.js';
import { loopIdleMs } from '../process/loop-idle.js';
import type { ResourceEvidence } from '../process/resource-sampler.js';
import type { CapturedFile, Profiling, SlowCapture } from '../profiling/profiling.js';
import type { GuardedOperation } from '../spans/ended-operation.js';
import type { LiveSpan } from '../spans/live-span.js';
import { tracingRuntime } from '../spans/tracing-runtime.js';
import { round } from '../text/round.js';

/** What is known later of a slow operation, if that changes its description. */
export type Update = Promise<Partial<SlowOperation> | undefined>;

/** The evidence that a slow operation is described with. */
interface SlowDependencies {
  readonly resources: ResourceEvidence;
  /** The median of the operation in milliseconds; undefined without enough data. */
  readonly expectedMs: number | undefined;
  /** Its baseline, which is saved across restarts. */
  readonly baseline: { readonly p50Ms: number; readonly p95Ms: number } | undefined;
  /** The threshold comes from the baseline. */
  readonly adaptive: boolean;
  readonly analyzer: RequestAnalyzer;
  readonly profiling: Profiling;
  /** How long the event loop was busy during it, if that is measured. */
  readonly busyMs: number | undefined;
  /** How long the garbage collector paused the process during it, with the collections that are reported later. */
  pausesWithin(from: number, to: number): Promise<number | undefined>;
  readonly drivers: readonly DriverStatus[];
}

/** A shorter operation is not affected by pauses, nor is an explanation by a shorter pause. */
const MIN_BUSY_MS = 10;
const MIN_PAUSE_MS = 1;

let sequence = 0;

/**
 * Describes a slow operation with its explanation.
 * @returns also the files that are captured of it, and the updates that follow: its call sites when their source maps have
 * been read, the collections that were reported after it, and its hot functions
 */
export function describeSlow(
  operation: GuardedOperation,
  thresholdMs: number,
  live: LiveSpan | undefined,
  now: number,
  dependencies: SlowDependencies,
): {
  slow: SlowOperation;
  files: readonly CapturedFile[];
  collected: Update | undefined;
  updates: readonly (Update | undefined)[];
} {
  const { type, name, durationMs, error, span, statement } = operation;
  const { resources, baseline } = dependencies;
  const given = span?.spanContext();
  const context = given !== undefined && isSpanContextValid(given) ? given : undefined;
  const http = (operation.http ?? live?.http)?.evidence();
  const { parentSpanContext } = (span ?? {}) as { parentSpanContext?: { spanId: string } };
  const root = live === undefined || live.root === live ? undefined : live.root;
  const explained = explain(operation, thresholdMs, live, now, http, dependencies);
  const capture = live === undefined ? undefined : captureSlow(operation, live, now, dependencies);
  const files = capture?.files ?? [];
  const slow: SlowOperation = {
    id: context?.spanId ?? `${Date.now().toString(36)}-${++sequence}`,
    timestamp: Date.now(),
    type,
    name,
    durationMs: round(durationMs),
    thresholdMs,
    slownessRatio: thresholdMs > 0 ? round(durationMs / thresholdMs) : round(durationMs),
    ...(live === undefined ? {} : { selfTimeMs: round(Math.max(0, durationMs - live.childrenMs(now))) }),
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
    ...(dependencies.adaptive ? { adaptive: true as const } : {}),
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
  const busyMs = dependencies.busyMs ?? durationMs;
  const collected =
    busyMs < MIN_BUSY_MS ? undefined : collect(explained, now - durationMs, now, dependencies);
  const profiled = capture && profile(capture, explained, collected, files);
  return { slow, files, collected, updates: [explained.lines, collected, profiled] };
}

/** Captures the profile of an operation, unless it only waited. */
function captureSlow(
  { type, name }: GuardedOperation,
  live: LiveSpan,
  now: number,
  { analyzer, profiling, busyMs }: SlowDependencies,
): SlowCapture | undefined {
  if (live.isWork) return undefined;
  const { traceId, spanId } = live.span.spanContext();
  const alone = analyzer.explains && analyzer.hadNoConcurrentRequests(live);
  const sampled = {
    from: live.startedAt,
    to: now,
    number: live.executionNumber,
    alone,
    whole: live.root === live,
  };
  const run = { type, name, traceId, spanId, sampled };
  return profiling.slowOperation(run, `${type} ${name}`, busyMs ?? now - live.startedAt);
}

/** The update that follows when the collections are known that ended in the same turn of the event loop. */
async function collect(
  { withCollections }: TimedExplanation,
  from: number,
  to: number,
  { resources, pausesWithin }: SlowDependencies,
): Update {
  const gcPauseMs = round((await pausesWithin(from, to)) ?? 0);
  if (gcPauseMs - resources.gcPauseMs < MIN_PAUSE_MS) return undefined;
  return { ...withCollections?.(gcPauseMs), resources: { ...resources, gcPauseMs } };
}

/** The update that follows from the profile of an operation. */
async function profile(
  { found, snapped }: SlowCapture,
  { lines, withProfile }: TimedExplanation,
  collected: Update | undefined,
  files: readonly CapturedFile[],
): Promise<Partial<SlowOperation>> {
  await lines;
  await collected;
  const { seen, kept } = await found;
  const better = seen === undefined ? undefined : await withProfile?.(seen);
  const has = (what: CapturedFile['type']): boolean => files.some(({ type }) => type === what);
  const lost = kept === undefined && has('cpu');
  const lostSnapshot = has('heap_snapshot') && (await snapped).kept === undefined;
  // The id of a file that could not be written is removed.
  return {
    ...better,
    ...(lost ? { profile: undefined } : {}),
    ...(lostSnapshot ? { heapSnapshot: undefined } : {}),
  };
}

/** Why an operation has no live span, and so no explanation. */
function whyUnexplained(
  { explains }: RequestAnalyzer,
  { span }: GuardedOperation,
  live: LiveSpan | undefined,
): string {
  if (!explains) return 'There is no explanation: detection.explain is false.';
  if (live !== undefined) return 'There is no explanation: it pauses, by overhead.maxCpuPercent.';
  if (tracingRuntime.isSdkDisabled) return 'Child spans are not recorded: OTEL_SDK_DISABLED is true.';
  const context = span?.spanContext();
  const isUnsampled =
    context !== undefined && isSpanContextValid(context) && (context.traceFlags & TraceFlags.SAMPLED) === 0;
  return isUnsampled
    ? "Child spans are not recorded: the application's tracer provider did not sample this trace."
    : 'Child spans are not recorded: add SlowSpanProcessor to your provider.';
}

function explain(
  operation: GuardedOperation,
  thresholdMs: number,
  live: LiveSpan | undefined,
  now: number,
  http: SlowOperation['http'],
  { analyzer, resources, expectedMs, drivers }: SlowDependencies,
): TimedExplanation {
  const { type, name, durationMs } = operation;
  const isPaused = live !== undefined && (live.request.sheds & EXPLAINING) !== 0;
  if (live === undefined || !analyzer.explains || isPaused) {
    const why = whyUnexplained(analyzer, operation, live);
    const explanation = `${name} took ${Math.round(durationMs)} ms (threshold ${thresholdMs}). ${why}`;
    return { now: { cause: 'unknown', causeShare: 1, causes: [], explanation } };
  }
  const alone = analyzer.hadNoConcurrentRequests(live);
  const facts = {
    type,
    name,
    durationMs,
    thresholdMs,
    expectedMs,
    http,
    resources,
    alone,
    drivers,
  };
  return analyzer.explain(facts, live, now, loopIdleMs());
}
