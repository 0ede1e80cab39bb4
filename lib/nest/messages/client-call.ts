import { type Attributes, type Context, context, SpanKind, trace } from '@opentelemetry/api';
import { reportFault } from '../../async/thrown.js';
import { tracingRuntime } from '../../spans/tracing-runtime.js';
import { contextOfOwner } from '../decorators/code-owners.js';
import { type Measured, type Measurement, observeResult } from '../decorators/track.js';
import { TrackedOperation } from '../decorators/tracked-operation.js';

/** A kind of messages that a client sends to one destination. */
export class ClientCall implements Measured {
  readonly key = 'client call';
  private readonly operation: TrackedOperation;

  /** @param owner the client, which belongs to an application */
  constructor(
    type: 'rpc' | 'messaging',
    name: string,
    private readonly attributes: Attributes,
    private readonly owner: unknown,
  ) {
    this.operation = TrackedOperation.ofHandler(type, name, undefined);
  }

  start(parent = context.active()): Measurement | undefined {
    if (tracingRuntime.monitor === undefined) return undefined;
    try {
      const { operation, attributes } = this;
      const kind = operation.type === 'rpc' ? SpanKind.CLIENT : SpanKind.PRODUCER;
      const within = contextOfOwner(innermost(parent), this.owner);
      return operation.startIn(within, { kind, attributes });
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
