import type { Span } from '@opentelemetry/api';
import { captureUserFrames } from '../code/call-site.js';
import type { OperationType } from '../operation/operation.js';
import { loopIdleMs } from '../process/loop-idle.js';
import { processProfiler } from '../profiling/process-profiler.js';
import { inputsOf, sizeOf } from '../spans/inputs.js';
import { type LiveSpan, stateOf } from '../spans/live-span.js';
import { RequestWork } from '../spans/request-work.js';
import type { SdkSpan } from '../spans/sdk-span.js';
import { isStatement, knownStatements, type StatementCache } from '../spans/statement.js';
import { CONNECTION_POOL, WORKS } from '../spans/work.js';
import { type DescribedWork, describeWork, statementOf } from '../spans/work-key.js';

/** Stacks are taken up to this many frames of the user's code. */
const MAX_FRAMES = 5;

/** Tells a request of a piece of work that begins below it, and takes the stack where that has been asked for. */
export function beginWork(
  state: LiveSpan,
  span: SdkSpan,
  type: OperationType,
  statements: StatementCache,
  now: number,
  idle: number,
): void {
  const { root, monitor } = state;
  root.requestWork ??= new RequestWork(monitor.options.detection.nPlusOne.minRepetitions);
  const work = root.requestWork;
  state.alone = work.started(idle);
  const asked =
    work.wantsStack ||
    (state.work === CONNECTION_POOL && monitor.diagnostics.stacks.wantsPool(root.name ?? ''));
  if (asked && work.mayTakeStack) takeStack(state, work);
  const described = describe(state, span, type, statements);
  if (described !== undefined) join(state, work, described, now, idle, true);
}

/** The same for work of which it turns out at its end what it was: neither its stack nor its company are known then. */
export function beginWorkLate(
  state: LiveSpan,
  span: SdkSpan,
  type: OperationType,
  statements: StatementCache,
  idle: number,
): void {
  state.root.requestWork ??= new RequestWork(state.monitor.options.detection.nPlusOne.minRepetitions);
  state.root.requestWork.started(idle);
  const described = describe(state, span, type, statements);
  if (described !== undefined) join(state, state.root.requestWork, described, state.startedAt, idle, false);
}

/** Forgets a span as if it had not begun: what it stood for is measured by others. */
export function forget(state: LiveSpan, now: number, idle: number): void {
  const { diagnostics, recorder } = state.monitor;
  state.duplicate = true;
  state.withdraw(now, idle);
  state.reportToParent(now, 0, false);
  processProfiler.ended(state, now);
  if (diagnostics.explains) {
    if (state.root === state) diagnostics.rootEnded(state, now);
    else if (state.work < WORKS) {
      state.root.requestWork?.ended(idle);
      state.group?.withdraw();
    }
  }
  recorder?.ended(state);
}

/**
 * Tells what a call is made with, where its instrumentation knows and its span does not show it. Only hashes are
 * kept, to tell whether two calls ask the same. Called where the call is made, after the start of its span.
 */
export function setParameters(span: Span, values: unknown): void {
  const state = stateOf(span);
  if (state === undefined) return;
  if (Array.isArray(values)) {
    state.inputs = inputsOf(values);
    state.size = sizeOf(values);
    state.constant = false;
  }
  const { requestWork: work } = state.root;
  if (state.group !== undefined || state.type === undefined || work === undefined) return;
  const described = describe(state, span as SdkSpan, state.type, knownStatements);
  if (described !== undefined) join(state, work, described, state.startedAt, loopIdleMs(), true);
}

/** Tells how many rows a query has read or written. */
export function setRowCount(span: Span, rows: unknown): void {
  const state = stateOf(span);
  if (state !== undefined && typeof rows === 'number') state.rows = rows;
}

/** Tells a request that a piece of work has ended. */
export function endWork(
  state: LiveSpan,
  span: SdkSpan,
  type: OperationType,
  durationMs: number,
  error: boolean,
  statements: StatementCache,
  now: number,
  idle: number,
): void {
  const work = state.root.requestWork;
  if (work === undefined) return;
  work.ended(idle);
  if (state.group === undefined) {
    // Its instrumentation has told only since the start what it is.
    const described = describe(state, span, type, statements);
    if (described !== undefined) join(state, work, described, state.startedAt, idle, false);
  }
  const { group, inputs, constant, size, rows, alone } = state;
  if (group === undefined) return;
  const { spanId } = span.spanContext();
  work.end(
    group,
    { durationMs, error, inputs, constant: constant && inputs !== undefined, size, rows, spanId },
    alone,
    now,
    idle,
  );
}

/** Counts the statement of a database span that ended. Returns it without its literals. */
export function countQuery(
  state: LiveSpan,
  span: SdkSpan,
  durationMs: number,
  slow: boolean,
  error: boolean,
  statements: StatementCache,
): string | undefined {
  const known = state.statement ?? statementOf(span.attributes, statements);
  if (known === undefined) return undefined;
  if (known.key.effect !== 'control') {
    const route = state.root === state ? undefined : state.root.name;
    state.monitor.diagnostics.recordQuery(known.key, durationMs, slow, error, state.rows, route);
  }
  return known.text;
}

/** Whoever waits for a connection waits for the pool, whatever it will be asked. */
const POOL_WORK: DescribedWork = {
  key: { fingerprint: 'connection pool', name: 'connection pool', effect: 'control' },
  inputs: undefined,
};

function describe(
  { work }: LiveSpan,
  span: SdkSpan,
  type: OperationType,
  statements: StatementCache,
): DescribedWork | undefined {
  return work === CONNECTION_POOL ? POOL_WORK : describeWork(type, span, statements);
}

/** @param onStack whether the code that asks for it stands on the stack now */
function join(
  state: LiveSpan,
  work: RequestWork,
  described: DescribedWork,
  startedAt: number,
  idle: number,
  onStack: boolean,
): void {
  const { key, inputs, firstSeen } = described;
  if (isStatement(described)) state.statement = described;
  // Two instrumentations may make a span each for one and the same query.
  if (state.parent?.group?.key.fingerprint === key.fingerprint) return;
  if (state.inputs === undefined) {
    state.inputs = inputs;
    state.constant = firstSeen !== undefined && firstSeen < state.root.startedAt;
  }
  state.group = work.begin(key, state.work, state.parent ?? state, startedAt, idle);
  const { stacks } = state.monitor.diagnostics;
  const route = state.root.name ?? '';
  const wanted = stacks.isWanted(key.fingerprint, route);
  if (wanted && onStack && state.frames === undefined && work.mayTakeStack) takeStack(state, work);
  if (state.frames === undefined) return;
  // A pool may call the driver back without a trace of who asked; that one is found at the pool.
  const frames = state.frames.length > 0 ? state.frames : work.poolFrames;
  if (wanted) stacks.keep(key.fingerprint, route, frames);
  if (state.group !== undefined && frames.length > 0) work.keepStack(state.group, frames);
}

function takeStack(state: LiveSpan, work: RequestWork): void {
  state.frames = captureUserFrames(MAX_FRAMES);
  state.monitor.diagnostics.prepare(state.frames);
  work.tookStack(state.work, state.frames);
  if (state.work === CONNECTION_POOL) state.frames = undefined;
}
