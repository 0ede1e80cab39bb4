import { randomBytes } from 'node:crypto';

/** Attributes as plain values. */
export type Plain = Record<string, string | number | boolean | string[]>;

/** A span as OTLP's JSON has it, but for what a test overrides. */
export type OtlpSpan = Record<string, unknown> & { traceId: string; spanId: string };

const SERVER = 2;
const CLIENT = 3;

/** Writes a trace by hand, as an exporter would: times are milliseconds since the trace began. */
export class Recording {
  readonly traceId = randomBytes(16).toString('hex');
  readonly spans: OtlpSpan[] = [];
  /** When the next query of {@link query} begins. */
  now = 0;

  constructor(
    readonly service = 'music',
    private readonly epochMs = 1_700_000_000_000,
  ) {}

  span(
    name: string,
    from: number,
    to: number,
    more: Record<string, unknown> = {},
    attributes: Plain = {},
  ): OtlpSpan {
    const span = {
      traceId: this.traceId,
      spanId: randomBytes(8).toString('hex'),
      name,
      kind: 1,
      startTimeUnixNano: this.nanoseconds(from),
      endTimeUnixNano: this.nanoseconds(to),
      attributes: attributesOf(attributes),
      status: {},
      ...more,
    };
    this.spans.push(span);
    return span;
  }

  /** A served request around all that comes after it. */
  request(route = '/albums', ms = 5000, more: Record<string, unknown> = {}): OtlpSpan {
    return this.span(
      `GET ${route}`,
      0,
      ms,
      { kind: SERVER, ...more },
      {
        'http.request.method': 'GET',
        'http.route': route,
      },
    );
  }

  /** A query that begins when the one before it has ended, or after a pause. */
  query(
    parent: OtlpSpan,
    statement: string,
    ms = 10,
    more: Record<string, unknown> = {},
    extra: Plain = {},
  ): OtlpSpan {
    return this.work(
      parent,
      ms,
      { 'db.system.name': 'postgresql', 'db.query.text': statement, ...extra },
      more,
    );
  }

  /** Any work that is waited for. */
  work(parent: OtlpSpan, ms: number, attributes: Plain, more: Record<string, unknown> = {}): OtlpSpan {
    const from = this.now;
    this.now += ms;
    return this.span(
      'work',
      from,
      this.now,
      { kind: CLIENT, parentSpanId: parent.spanId, ...more },
      attributes,
    );
  }

  /** This trace as an export of its own. */
  get otlp(): { resourceSpans: unknown[] } {
    return otlpOf(this.spans, this.service);
  }

  private nanoseconds(ms: number): string {
    return String(BigInt(this.epochMs) * 1_000_000n + BigInt(Math.round(ms * 1e6)));
  }
}

export function otlpOf(spans: unknown[], service: string): { resourceSpans: unknown[] } {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributesOf({ 'service.name': service }) },
        scopeSpans: [{ scope: { name: 'test' }, spans }],
      },
    ],
  };
}

export function attributesOf(plain: Plain): { key: string; value: unknown }[] {
  return Object.entries(plain).map(([key, value]) => ({ key, value: otlpValue(value) }));
}

function otlpValue(value: Plain[string]): unknown {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') return { intValue: String(value) };
  return { arrayValue: { values: value.map((one) => ({ stringValue: one })) } };
}
