import { randomBytes } from 'node:crypto';
import http from 'node:http';
import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  TraceFlags,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';

/** A span of a tool without OpenTelemetry's SDK: it has no instrumentation scope, and attributes under another name. */
export class ForeignSpan implements Span {
  readonly kind: SpanKind | undefined;
  readonly data: Attributes;
  readonly parent: SpanContext | undefined;
  endedAt: number | undefined;
  private readonly own: SpanContext;

  constructor(
    public name: string,
    { kind, attributes }: { kind?: SpanKind | undefined; attributes?: Attributes | undefined },
    parent: SpanContext | undefined,
    private readonly sampled = true,
  ) {
    this.kind = kind;
    this.data = { ...attributes };
    this.parent = parent !== undefined && isSpanContextValid(parent) ? parent : undefined;
    this.own = {
      traceId: this.parent?.traceId ?? randomBytes(16).toString('hex'),
      spanId: randomBytes(8).toString('hex'),
      traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    };
  }

  spanContext(): SpanContext {
    return this.own;
  }
  setAttribute(key: string, value: Attributes[string]): this {
    if (value !== undefined) this.data[key] = value;
    return this;
  }
  setAttributes(attributes: Attributes): this {
    Object.assign(this.data, attributes);
    return this;
  }
  updateName(name: string): this {
    this.name = name;
    return this;
  }
  end(): void {
    this.endedAt ??= performance.now();
  }
  isRecording(): boolean {
    return this.sampled && this.endedAt === undefined;
  }
  addEvent = (): this => this;
  addLink = (): this => this;
  addLinks = (): this => this;
  setStatus = (): this => this;
  recordException = (): void => {};
}

/** A tracer provider of a tool without OpenTelemetry's SDK. Keeps the spans that it created. */
export class ForeignTracing implements TracerProvider {
  readonly spans: ForeignSpan[] = [];

  get serverSpans(): ForeignSpan[] {
    return this.spans.filter(({ kind }) => kind === SpanKind.SERVER);
  }

  start(name: string, options: ConstructorParameters<typeof ForeignSpan>[1], around: Context): ForeignSpan {
    const span = new ForeignSpan(name, options, trace.getSpanContext(around));
    this.spans.push(span);
    return span;
  }

  getTracer(): Tracer {
    const startSpan = (name: string, options: SpanOptions = {}, around = context.active()): Span =>
      this.start(name, { kind: SpanKind.INTERNAL, ...options }, around);
    return { startSpan } as unknown as Tracer;
  }
}

type Emit = (this: http.Server, event: string, ...args: unknown[]) => boolean;
type Serve = (request: http.IncomingMessage, response: http.ServerResponse, next: () => boolean) => boolean;

/** Wraps the method by which every server receives requests, as an agent does at its start. Returns what restores it. */
export function wrapAllServers(serve: Serve): () => void {
  const { prototype } = http.Server;
  const original = prototype.emit as Emit;
  const isOwn = Object.hasOwn(prototype, 'emit');
  prototype.emit = wrapped(original, serve);
  return () => {
    if (isOwn) prototype.emit = original;
    else Reflect.deleteProperty(prototype, 'emit');
  };
}

/** Wraps the method of one server that runs already, so that it is called first. */
export function wrapServer(server: http.Server, serve: Serve): void {
  server.emit = wrapped(server.emit as Emit, serve);
}

function wrapped(original: Emit, serve: Serve): Emit {
  return function (event, ...args) {
    const next = (): boolean => Reflect.apply(original, this, [event, ...args]);
    return event === 'request' ? serve(args[0] as never, args[1] as never, next) : next();
  };
}
