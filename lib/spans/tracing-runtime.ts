import { type Span, type Tracer, trace } from '@opentelemetry/api';
import { processWide } from '../async/process-wide.js';
import type { BlockingOperation } from '../process/stall.js';
import type { SpanSink } from './live-span.js';
import { liveSpanOf, nearestRunningAncestor } from './live-span.js';
import { WORKS } from './work.js';

/** The name and version of our instrumentation scope. */
export const SCOPE = { name: 'nestjs-performance', version: '0.1.0' } as const;

/** What a module registers in the runtime: a `PerformanceMonitor`. */
export interface SpanOwner {
  readonly sink: SpanSink;
}

/**
 * The state that all modules of a process share: decorated methods exist before a module does, OpenTelemetry has one tracer
 * provider, and the ESM and the CommonJS build of this package may both be loaded.
 */
export interface TracingRuntime {
  /** The monitors of the running modules, the oldest first. */
  readonly monitors: SpanOwner[];
  /** The monitors of modules that are created and not yet initialized, or never: as in unit tests of the application. */
  readonly created: SpanOwner[];
  /** The oldest that runs, or else the oldest created: it counts the spans that belong to no module. */
  readonly monitor: SpanOwner | undefined;
  /** The number of {@link SlowSpanProcessor}s. With none, this package counts the spans that it creates without them. */
  processors: number;
  /** The tracer of this package's own provider, if the application has none. */
  tracer: Tracer | undefined;
  /** `OTEL_SDK_DISABLED`: no spans are created. */
  isSdkDisabled: boolean;
  /** The tracing that the modules share, with the number of its users. */
  shared: unknown;
  /**
   * The operation whose code runs now, as JSON of {@link BlockingOperation}, or ''. The watchdog of the event loop calls
   * it by interrupting that code.
   */
  activeOperation(): string;
}

function createRuntime(): TracingRuntime {
  const monitors: SpanOwner[] = [];
  const created: SpanOwner[] = [];
  return {
    monitors,
    created,
    get monitor() {
      return monitors[0] ?? created[0];
    },
    processors: 0,
    tracer: undefined,
    isSdkDisabled: false,
    shared: undefined,
    activeOperation,
  };
}

function activeOperation(): string {
  const active = liveSpanOf(trace.getActiveSpan());
  // What a pooled connection receives runs within the call that once opened it, whomever it is for.
  const isFinishedCall = active?.ended === true && active.work < WORKS;
  const live = isFinishedCall ? nearestRunningAncestor(active) : active;
  if (live === undefined) return '';
  const { root, span } = live;
  const { traceId, spanId } = span.spanContext();
  const operation: BlockingOperation = {
    type: live.type ?? 'internal',
    name: live.name ?? nameOf(span),
    traceId,
    spanId,
    rootSpanId: root.span.spanContext().spanId,
    rootType: root.type ?? 'internal',
    rootName: root.name ?? nameOf(root.span),
    monitor: live.sink.requests.id,
  };
  return JSON.stringify(operation);
}

function nameOf(span: Span): string {
  return (span as Span & { name?: string }).name ?? '';
}

/** The runtime of this process. */
export const tracingRuntime = processWide('runtime', createRuntime);

/** The tracer for the spans that this package creates: of its own provider, or the application's. */
export function currentTracer(): Tracer {
  return tracingRuntime.tracer ?? trace.getTracer(SCOPE.name, SCOPE.version);
}
