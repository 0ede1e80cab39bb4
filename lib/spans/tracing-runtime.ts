import { type Span, type Tracer, trace } from '@opentelemetry/api';
import { processWide } from '../process/process-wide.js';
import type { BlockingOperation } from '../process/stall.js';
import type { SpanSink } from './live-span.js';
import { liveSpanOf } from './live-span.js';

/** The name and version of our instrumentation scope. */
export const SCOPE = { name: 'nestjs-performance', version: '0.1.0' } as const;

/** What a module puts into the runtime: a `PerformanceMonitor`. */
export interface SpanOwner {
  readonly sink: SpanSink;
}

/**
 * What is one for the process and cannot be one for each module: decorated methods exist before there is a module,
 * OpenTelemetry has one tracer provider, and the ESM and the CommonJS build of this package may both be loaded.
 */
export interface TracingRuntime {
  /** The monitors of the modules that are up, the oldest first. The first one gets what belongs to none. */
  readonly monitors: SpanOwner[];
  readonly monitor: SpanOwner | undefined;
  /** How many {@link SlowSpanProcessor}s there are. With none, own spans are counted by who made them. */
  processors: number;
  /** Ours, while the application has none. */
  tracer: Tracer | undefined;
  /** The tracer provider that the modules of this process share, and what holds it up. */
  shared: unknown;
  /**
   * The operation whose code runs now, as JSON of {@link BlockingOperation}, or ''. Asked by the watchdog of the
   * event loop, in the middle of that code.
   */
  activeOperation(): string;
}

function createRuntime(): TracingRuntime {
  const monitors: SpanOwner[] = [];
  return {
    monitors,
    get monitor() {
      return monitors[0];
    },
    processors: 0,
    tracer: undefined,
    shared: undefined,
    activeOperation,
  };
}

function activeOperation(): string {
  const span = trace.getActiveSpan();
  const state = liveSpanOf(span);
  if (span === undefined || state === undefined) return '';
  const { root } = state;
  const { traceId, spanId } = span.spanContext();
  const operation: BlockingOperation = {
    type: state.type ?? 'internal',
    name: state.name ?? nameOf(span),
    traceId,
    spanId,
    rootSpanId: root.span.spanContext().spanId,
    rootType: root.type ?? 'internal',
    rootName: root.name ?? nameOf(root.span),
    monitor: state.sink.id,
  };
  return JSON.stringify(operation);
}

function nameOf(span: Span): string {
  return (span as Span & { name?: string }).name ?? '';
}

/** The runtime of this process. */
export const tracingRuntime = processWide('runtime', createRuntime);

/** The tracer for own spans: of our provider, or of the application's. */
export function currentTracer(): Tracer {
  return tracingRuntime.tracer ?? trace.getTracer(SCOPE.name, SCOPE.version);
}
