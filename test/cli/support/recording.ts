import { randomBytes } from 'node:crypto';

/** Attributes as plain values. */
export type Plain = Record<string, string | number | boolean | string[]>;

/** A span of OTLP JSON, with overrides of the test. */
export type OtlpSpan = Record<string, unknown> & { traceId: string; spanId: string };

const SERVER = 2;
const CLIENT = 3;

/** Builds a trace as an exporter would write it. Times are milliseconds since its start. */
export class Recording {
  readonly traceId = randomBytes(16).toString('hex');
  readonly spans: OtlpSpan[] = [];
  /** The start of the next query. */
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

  /** An incoming request, as the parent of later spans. */
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

  /** A query that starts at the end of the previous one. */
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

  /** Any awaited work. */
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

  /** This trace as an export. */
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
