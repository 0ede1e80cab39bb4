import { types } from 'node:util';
import {
  type Attributes,
  type AttributeValue,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  type SpanContext,
} from '@opentelemetry/api';

/**
 * The members of a span that the monitor uses. A span of any OpenTelemetry API or SDK fits, and so does an object with some
 * of these members: a member that is missing or throws is skipped.
 */
export interface SpanLike {
  /** Receives the `performance.*` attributes of a slow operation. */
  setAttribute?(key: string, value: string | number | boolean): unknown;
  addEvent?(name: string, attributes?: Record<string, string | number | boolean>): unknown;
  /** Supplies the trace id and the span id of the slow operation. */
  spanContext?(): unknown;
  readonly attributes?: unknown;
  /** The name of the operation. Default: its type. */
  readonly name?: unknown;
  readonly status?: unknown;
}

/** Wraps an untrusted span: no member throws, and each has the type that OpenTelemetry declares. */
export class GuardedSpan {
  constructor(private readonly span: SpanLike) {}

  setAttribute(key: string, value: AttributeValue): this {
    return this.call('setAttribute', key, value);
  }

  addEvent(name: string, attributes?: Attributes): this {
    return this.call('addEvent', name, attributes);
  }

  spanContext(): SpanContext {
    return validContext(() => this.span.spanContext?.()) ?? INVALID_SPAN_CONTEXT;
  }

  get parentSpanContext(): SpanContext | undefined {
    return validContext(() => this.member('parentSpanContext'));
  }

  get name(): string | undefined {
    const name = this.member('name');
    return typeof name === 'string' && name !== '' ? name : undefined;
  }

  get hasFailed(): boolean {
    return attempt(() => (this.member('status') as { code?: unknown } | undefined)?.code) === 2;
  }

  /** A copy of the attributes that are a string, a number or a boolean. */
  get attributes(): Attributes {
    const entries = attempt(() => Object.entries({ ...(this.member('attributes') as object) })) ?? [];
    return Object.fromEntries(entries.filter(isScalarEntry));
  }

  get instrumentationScope(): { name: string } | undefined {
    const name = attempt(() => (this.member('instrumentationScope') as { name?: unknown } | undefined)?.name);
    return typeof name === 'string' ? { name } : undefined;
  }

  private member(
    name: 'attributes' | 'instrumentationScope' | 'name' | 'parentSpanContext' | 'status',
  ): unknown {
    return attempt(() => (this.span as Record<string, unknown>)[name]);
  }

  private call(method: 'setAttribute' | 'addEvent', ...args: unknown[]): this {
    attempt(() => {
      const called = this.span[method] as ((...args: unknown[]) => unknown) | undefined;
      const result = typeof called === 'function' ? Reflect.apply(called, this.span, args) : undefined;
      // An unhandled rejection would end the process.
      if (types.isPromise(result)) Promise.prototype.then.call(result, undefined, () => {});
    });
    return this;
  }
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function isScalarEntry(entry: [string, unknown]): entry is [string, string | number | boolean] {
  const [, value] = entry;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function validContext(read: () => unknown): SpanContext | undefined {
  return attempt(() => {
    const { traceId, spanId, traceFlags } = read() as SpanContext;
    if (typeof traceId !== 'string' || typeof spanId !== 'string') return undefined;
    const context = { traceId, spanId, traceFlags };
    return isSpanContextValid(context) ? context : undefined;
  });
}
