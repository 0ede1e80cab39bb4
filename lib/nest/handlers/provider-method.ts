import { performance } from 'node:perf_hooks';
import { type Context, context, trace } from '@opentelemetry/api';
import { reportFault } from '../../async/thrown.js';
import { COST } from '../../overhead/cost-points.js';
import { meter } from '../../overhead/meter.js';
import { PROVIDERS } from '../../overhead/sheddable.js';
import { isErrorOfCaller } from '../../spans/expected-error.js';
import { liveSpanOf, type SpanSink, sinkIn } from '../../spans/live-span.js';
import { tracingRuntime } from '../../spans/tracing-runtime.js';
import { contextOfOwner } from '../decorators/code-owners.js';
import { type Measured, type Measurement, trackCall } from '../decorators/track.js';
import type { TrackedOperation } from '../decorators/tracked-operation.js';
import type { Handler, Method } from './method-wrappers.js';

/** Calls of one request that have spans. A loop over rows would fill the trace and the waterfall with equal ones. */
export const MAX_DETAILED_CALLS = 50;

/**
 * Measures a method of a provider: by a span within a request or handler, up to {@link MAX_DETAILED_CALLS}. Further calls, and
 * those outside of any operation, are counted without a span: they would be traces of one span each.
 */
export class ProviderMethod implements Handler, Measured {
  readonly key: string;

  constructor(private readonly operation: TrackedOperation) {
    this.key = `provider ${operation.key}`;
  }

  call(method: Method, self: unknown, args: unknown[]): unknown {
    return trackCall(this, method, self, args);
  }

  start(parent = context.active(), self?: unknown): Measurement | undefined {
    const { monitor } = tracingRuntime;
    if (monitor === undefined) return undefined;
    const measured = meter.enter(COST.provider);
    try {
      const root = liveSpanOf(trace.getSpan(parent))?.root;
      if (root === undefined || root.ended) {
        const sink = root?.sink ?? sinkIn(contextOfOwner(parent, self)) ?? monitor.sink;
        return new CountedCall(this.operation, sink, parent);
      }
      const { providerCalls, sheds } = root.request;
      if (providerCalls >= MAX_DETAILED_CALLS || (sheds & PROVIDERS) !== 0)
        return new CountedCall(this.operation, root.sink, parent);
      root.request.providerCalls++;
      return this.operation.startIn(parent);
    } catch (error) {
      reportFault('a provider could not be measured', error);
      return undefined;
    } finally {
      meter.leave(COST.provider, measured);
    }
  }
}

/** A call that is counted with its duration and outcome, and has no span. */
class CountedCall implements Measurement {
  private readonly startedAt = performance.now();
  readonly context: Context;

  constructor(
    private readonly operation: TrackedOperation,
    private readonly sink: SpanSink,
    readonly parent: Context,
  ) {
    this.context = parent;
  }

  succeed(): void {
    this.end(false, undefined);
  }

  fail(error: unknown): void {
    this.end(true, error);
  }

  abandon(): void {}

  lose(): void {
    this.sink.lostCalls++;
  }

  private end(error: boolean, thrown: unknown): void {
    try {
      const { operation, sink } = this;
      const { type, name } = operation;
      const now = performance.now();
      sink.record(
        {
          type,
          name,
          durationMs: now - this.startedAt,
          thresholdMs: operation.thresholdMs ?? sink.thresholds.ofType(type),
          error,
          expectedError: error && isErrorOfCaller(thrown),
          isPart: true,
        },
        now,
      );
    } catch (fault) {
      reportFault('a call of a provider could not be counted', fault);
    }
  }
}
