import { type Attributes, type Context, context, SpanKind, trace } from '@opentelemetry/api';
import { attempt, reportFault } from '../../async/thrown.js';
import { tracingRuntime } from '../../spans/tracing-runtime.js';
import { contextOfOwner } from '../decorators/code-owners.js';
import { type Measured, type Measurement, observeResult } from '../decorators/track.js';
import { TrackedOperation } from '../decorators/tracked-operation.js';

/** A kind of messages that a client sends to one destination. */
export class ClientCall implements Measured {
  readonly key = 'client call';
  readonly keepsContext = true;
  private readonly operation: TrackedOperation;

  /**
   * @param owner the client, which belongs to an application
   * @param onStart called within the span of each call before it is made
   */
  constructor(
    type: 'rpc' | 'messaging',
    name: string,
    private readonly attributes: Attributes,
    private readonly owner: unknown,
    private readonly onStart?: () => void,
  ) {
    this.operation = TrackedOperation.ofHandler(type, name, undefined);
  }

  start(parent = context.active()): Measurement | undefined {
    if (tracingRuntime.monitor === undefined) return undefined;
    try {
      const { operation, attributes, onStart } = this;
      const kind = operation.type === 'rpc' ? SpanKind.CLIENT : SpanKind.PRODUCER;
      const within = contextOfOwner(innermost(parent), this.owner);
      const running = operation.startIn(within, { kind, attributes });
      if (onStart !== undefined)
        attempt('a message could not be prepared', () => context.with(running.context, onStart));
      return running;
    } catch (error) {
      reportFault('a message could not be measured', error);
      return undefined;
    }
  }

  /** Measures each subscription to the result of a call. */
  observeSubscriptions(result: unknown): void {
    const active = context.active();
    const nothing = (): void => {};
    const caller: Measurement = {
      context: active,
      parent: active,
      succeed: nothing,
      fail: nothing,
      abandon: nothing,
      lose: nothing,
    };
    observeResult(this, caller, result);
  }
}

/** An Observable may be subscribed to in another request than the one that made it, or in none. */
function innermost(caller: Context): Context {
  const active = context.active();
  return trace.getSpan(active) === undefined ? caller : active;
}
