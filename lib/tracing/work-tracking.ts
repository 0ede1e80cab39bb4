import { context, type Span, trace } from '@opentelemetry/api';
import {
  type HeldFrames,
  hasUserCode,
  holdUserFrames,
  packagesOnStack,
  type RawFrame,
} from '../code/call-site.js';
import { COST } from '../overhead/cost-points.js';
import { meter } from '../overhead/meter.js';
import { ATTRIBUTION, EXPLAINING, VALUES } from '../overhead/sheddable.js';
import { loopIdleMs } from '../process/loop-idle.js';
import { processProfiler } from '../profiling/process-profiler.js';
import { inputsOf, sizeOf } from '../spans/inputs.js';
import { type LiveSpan, liveSpanOf } from '../spans/live-span.js';
import { RequestWork } from '../spans/request-work.js';
import type { SdkSpan } from '../spans/sdk-span.js';
import { parseServerTiming } from '../spans/server-timing.js';
import { describeSpan, type SpanDescription } from '../spans/span-description.js';
import { inputsWith, type KnownStatement, knownStatements } from '../spans/statement.js';
import { tracingRuntime } from '../spans/tracing-runtime.js';
import { CONNECTION_POOL, WORKS } from '../spans/work.js';
import type { Inputs } from '../spans/work-group.js';

/** Stacks have up to this many frames of the user's code. */
const MAX_FRAMES = 5;
/** The CPU time of a driver or ORM for one call, at most: when the request waits for nothing else meanwhile, and otherwise. */
const DRIVER_MS = 1;
const DRIVER_AMONG_OTHERS_MS = 0.25;

/** Adds a piece of work that starts to its request, and captures its stack if that was requested. */
export function beginWork(live: LiveSpan, description: SpanDescription): void {
  if (isPaused(live, EXPLAINING)) return;
  const measured = meter.enter(COST.workStart);
  try {
    begin(live, description);
  } finally {
    meter.leave(COST.workStart, measured);
  }
}

function begin(live: LiveSpan, description: SpanDescription): void {
  const { root, request, sink } = live;
  request.work ??= new RequestWork(sink.requests.minRepetitions);
  const { work } = request;
  live.alone = work.started(live.idleAtStart);
  if (live.work === CONNECTION_POOL) {
    const isWanted = work.wantsStack || sink.requests.stacks.isSearching(root.name ?? '');
    if (isWanted && !isPaused(live, ATTRIBUTION)) work.poolRequested(live, () => holdCallers(live));
  } else if (work.wantsStack && work.mayCaptureStack) captureStack(live, work);
  join(live, work, description, true);
}

/** The same for a span whose attributes identify its work only at its end, when its stack is gone. */
export function beginWorkLate(live: LiveSpan, description: SpanDescription): void {
  if (isPaused(live, EXPLAINING)) return;
  live.request.work ??= new RequestWork(live.sink.requests.minRepetitions);
  live.request.work.started(live.idleAtStart);
  join(live, live.request.work, description, false);
}

/**
 * Keeps the stack of a call that requests a connection from a pool which has one free, if the line of its query is searched.
 * Returns a function to call when the pool hands it over, or undefined if nothing was kept.
 */
export function connectionRequested(): (() => void) | undefined {
  const live = liveSpanOf(trace.getSpan(context.active()));
  const sink = live?.sink ?? tracingRuntime.monitor?.sink;
  const recorded = sink?.recorder?.connectionRequested?.(live);
  if (
    live === undefined ||
    live.ended ||
    !live.sink.requests.explains ||
    isPaused(live, ATTRIBUTION | EXPLAINING)
  )
    return recorded;
  const { request, root } = live;
  const { stacks, minRepetitions } = live.sink.requests;
  if (request.work?.wantsStack !== true && !stacks.isSearching(root.name ?? '')) return recorded;
  request.work ??= new RequestWork(minRepetitions);
  const { work } = request;
  const connection = {};
  work.poolRequested(connection, () => holdCallers(live));
  return () => {
    work.poolReceived(connection);
    recorded?.();
  };
}

/** Removes a span as if it had not started: other spans measure its work. */
export function withdraw(live: LiveSpan, now: number, idle: number): void {
  const { sink, request } = live;
  live.duplicate = true;
  live.withdraw(now, idle);
  live.reportToParent(0, false);
  processProfiler.ended(live, now);
  if (live.root === live) {
    sink.lines?.release(request);
    sink.requests.ended(live, now);
  } else if (sink.requests.explains && live.work < WORKS) {
    request.work?.ended(idle);
    live.group?.withdraw();
  }
  sink.recorder?.ended(live);
}

/**
 * Does not count a span if another instrumentation has created one of the same type within it. Its time remains. Call it
 * before its end.
 */
export function countInner(live: LiveSpan): void {
  const { sink, request, root, type, completedBelow } = live;
  let hasInner = false;
  completedBelow?.walk(true, (span, isDirect) => {
    if (isDirect && span.type === type) hasInner = true;
    return false;
  });
  if (!hasInner || !sink.requests.explains) return;
  live.duplicate = true;
  if (root === live || live.work >= WORKS) return;
  request.work?.ended(loopIdleMs());
  live.group?.withdraw();
}

/**
 * Sets the values of a call that its instrumentation knows and its span does not contain. Only hashes are kept, to compare
 * calls. Call it synchronously in the call, after the start of its span.
 */
export function setParameters(span: Span, values: unknown): void {
  const live = liveSpanOf(span);
  if (live === undefined) return;
  const { work } = live.request;
  const joins = live.group === undefined && live.work < WORKS && work !== undefined && live.root !== live;
  if (joins) live.description = describeSpan(span as SdkSpan, knownStatements, live.description?.type);
  if (Array.isArray(values)) {
    const statement = live.description?.statement;
    const bound = isPaused(live, VALUES) ? undefined : hashed(values);
    live.inputs = statement === undefined ? bound : inputsWith(statement, bound);
    live.size = sizeOf(values);
    live.constant = isConstant(live, statement);
  }
  if (joins) join(live, work, live.description as SpanDescription, true);
}

function hashed(values: readonly unknown[]): Inputs | undefined {
  const measured = meter.enter(COST.values);
  try {
    return inputsOf(values);
  } finally {
    meter.leave(COST.values, measured);
  }
}

/** Marks a span whose work is executed within one call: its time is the database's, though the event loop is busy. */
export function markSynchronous(span: Span): void {
  const live = liveSpanOf(span);
  if (live !== undefined) live.isSynchronous = true;
}

/** Sets what the called service says of its time, by its `Server-Timing` header. */
export function setRemoteTiming(span: Span, header: string): void {
  const live = liveSpanOf(span);
  if (live !== undefined) live.remote = parseServerTiming(header);
}

/** Sets how many rows a query read or wrote. */
export function setRowCount(span: Span, rows: unknown): void {
  const live = liveSpanOf(span);
  if (live !== undefined && typeof rows === 'number') live.rows = rows;
}

/**
 * Adds the result of a piece of work to its request.
 * @param waitedMs its share of the time in which its parent waited with an idle event loop
 */
export function endWork(
  live: LiveSpan,
  description: SpanDescription,
  durationMs: number,
  waitedMs: number,
  error: boolean,
  now: number,
  idle: number,
): void {
  const { work } = live.request;
  if (work === undefined) return;
  const measured = meter.enter(COST.workEnd);
  try {
    work.ended(idle);
    if (live.work === CONNECTION_POOL) work.poolReceived(live);
    // Its attributes may have been set since its start.
    if (live.group === undefined) join(live, work, description, false);
    const { group, inputs, constant, size, rows, alone } = live;
    if (group === undefined) return;
    const { isSynchronous } = live;
    const driverMs = isSynchronous
      ? 0
      : Math.min(live.busyMs(now, idle), alone ? DRIVER_MS : DRIVER_AMONG_OTHERS_MS);
    work.end(
      group,
      {
        durationMs,
        waitedMs: isSynchronous ? durationMs : waitedMs,
        driverMs,
        error,
        isSynchronous,
        inputs,
        remote: live.remote,
        constant: constant && inputs !== undefined,
        size,
        rows,
      },
      alone,
      now,
      idle,
    );
  } finally {
    meter.leave(COST.workEnd, measured);
  }
}

/** Adds a piece of work to its group. @param onStack whether the calling code is on the stack now */
function join(
  live: LiveSpan,
  work: RequestWork,
  { key, inputs, statement }: SpanDescription,
  onStack: boolean,
): void {
  if (key === undefined) return;
  // Two instrumentations may each create a span for one query.
  if (live.parent?.group?.key.fingerprint === key.fingerprint) return;
  if (live.inputs === undefined) {
    live.inputs = inputs;
    live.constant = isConstant(live, statement);
  }
  live.group = work.begin(key, live.work, live.parent ?? live, live.startedAt, live.idleAtStart);
  const { stacks } = live.sink.requests;
  const route = live.root.name ?? '';
  const wanted = stacks.isWanted(key.fingerprint, route);
  if (wanted && onStack && live.frames === undefined && work.mayCaptureStack) captureStack(live, work);
  if (live.frames === undefined || live.group === undefined) return;
  const { frames } = live;
  if (hasUserCode(frames)) work.keepStack(live.group, frames);
  // One try for each request: its other executions are called in the same way.
  else if (live.group.hasEmptyStack) return;
  else live.group.hasEmptyStack = true;
  if (wanted) stacks.keep(key.fingerprint, route, frames);
}

/** Whether the literals of a statement are none of the request's. */
function isConstant({ root }: LiveSpan, statement: KnownStatement | undefined): boolean {
  return statement !== undefined && statement.firstSeen < root.startedAt;
}

function captureStack(live: LiveSpan, work: RequestWork): void {
  if (isPaused(live, ATTRIBUTION)) return;
  meter.measure(COST.stack, () => {
    const own = holdUserFrames(captureStack)(MAX_FRAMES);
    live.frames = hasUserCode(own) ? own : (callersOf(live, work) ?? own);
    live.sink.requests.prepareSources(live.frames);
    work.stackCaptured();
  });
}

/** Whether a part of this package pauses for the request, because the package took too much CPU time. */
function isPaused({ request }: LiveSpan, part: number): boolean {
  return (request.sheds & part) !== 0;
}

/**
 * The user's frames that caused a call whose stack has none: those that requested its connection from a pool, which called
 * back, or those of the `await` of a thenable.
 */
function callersOf({ sink }: LiveSpan, work: RequestWork): readonly RawFrame[] | undefined {
  const ofPool = work.takePoolFrames(MAX_FRAMES);
  const frames = hasUserCode(ofPool) ? ofPool : sink.requests.promiseStacks.current(MAX_FRAMES);
  const [first, ...others] = frames;
  if (first === undefined) return undefined;
  const through = new Set([...(first.through ?? []), ...packagesOnStack()]);
  return [{ ...first, through: [...through] }, ...others];
}

/** Keeps the current stack, or where it has no line of the user's code that of the `await` that caused it. */
function holdCallers({ sink }: LiveSpan): HeldFrames {
  const held = holdUserFrames(holdCallers);
  const { promiseStacks } = sink.requests;
  if (!promiseStacks.isRecording) return held;
  const own = held(MAX_FRAMES);
  const frames = hasUserCode(own) ? own : promiseStacks.current(MAX_FRAMES);
  return () => frames;
}
