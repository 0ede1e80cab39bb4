import { type Attributes, context, SpanKind, trace } from '@opentelemetry/api';
import { reportFault } from '../../async/thrown.js';
import { type LiveSpan, liveSpanOf, SINK_KEY } from '../../spans/live-span.js';
import { tracingRuntime } from '../../spans/tracing-runtime.js';
import { contextOfOwner } from '../decorators/code-owners.js';
import { type Measured, type Measurement, trackCall } from '../decorators/track.js';
import type { TrackedOperation } from '../decorators/tracked-operation.js';
import type { Handler, Method } from './method-wrappers.js';

/** How the calls of a handler are measured. */
export interface HandlerSpan {
  /** The kind of its span where that is the root. */
  readonly kind: SpanKind;
  readonly attributes: Attributes;
  /** Whether the application itself calls it, too, so that it is an operation within others. */
  readonly isNested: boolean;
}

/**
 * Measures a handler that no request is served by: a message, a job, a schedule, an event. It is the root of a trace, unless
 * an instrumentation of the transport has started one.
 */
export class OperationHandler implements Handler, Measured {
  readonly key: string;

  constructor(
    private readonly operation: TrackedOperation,
    private readonly span: HandlerSpan,
  ) {
    this.key = `handler ${operation.key}`;
  }

  call(method: Method, self: unknown, args: unknown[]): unknown {
    return trackCall(this, method, self, args);
  }

  start(parent = context.active(), self?: unknown): Measurement | undefined {
    if (tracingRuntime.monitor === undefined) return undefined;
    try {
      const { operation } = this;
      const { kind, attributes, isNested } = this.span;
      const root = liveSpanOf(trace.getSpan(parent))?.root;
      if (root !== undefined && !root.ended) {
        if (isNested) return operation.startIn(parent, { kind: SpanKind.INTERNAL, attributes });
        if (isOfTransport(root)) root.thresholdMs ??= operation.thresholdMs;
        return undefined;
      }
      // What has ended is no parent: an event may follow a response much later.
      const within =
        root === undefined
          ? contextOfOwner(parent, self)
          : trace.deleteSpan(parent).setValue(SINK_KEY, root.sink);
      const running = operation.startIn(within, { kind, attributes });
      const live = liveSpanOf(trace.getSpan(running.context));
      if (live !== undefined && live.root === live) live.request.isHandled = true;
      return running;
    } catch (error) {
      reportFault('a handler could not be measured', error);
      return undefined;
    }
  }
}

/** Whether an instrumentation of the transport has created the span of a message. */
function isOfTransport({ span, http, request }: LiveSpan): boolean {
  const { kind } = span as { kind?: SpanKind };
  return http === undefined && !request.isHandled && (kind === SpanKind.SERVER || kind === SpanKind.CONSUMER);
}
