import { type Fields, isFields } from './otlp-values.js';

/** Whether a span has the names of Jaeger's JSON. */
export function isJaegerSpan(value: unknown): value is Fields {
  return isFields(value) && typeof value['spanID'] === 'string' && typeof value['traceID'] === 'string';
}

/** A span of Jaeger's JSON as one of OTLP JSON. */
export function fromJaeger(span: Fields): Fields {
  const attributes = fromTags(span['tags']);
  const tag = (key: string): unknown => attributes.find((one) => one.key === key)?.plain;
  const startedAt = span['startTime'];
  const isError = tag('error') === true || tag('error') === 'true' || tag('otel.status_code') === 'ERROR';
  return {
    traceId: padded(span['traceID'], 32),
    spanId: padded(span['spanID'], 16),
    parentSpanId: padded(parentOf(span), 16),
    name: span['operationName'],
    kind: `SPAN_KIND_${String(tag('span.kind') ?? 'internal').toUpperCase()}`,
    startTimeUnixNano: nanoseconds(startedAt),
    endTimeUnixNano: nanoseconds(Number(startedAt) + Number(span['duration'])),
    attributes,
    status: isError ? { code: 2 } : {},
  };
}

/** A process of Jaeger's JSON as a resource of OTLP JSON. */
export function resourceOf(process: Fields): Fields {
  const name = { key: 'service.name', value: { stringValue: String(process['serviceName'] ?? '') } };
  return { attributes: [...fromTags(process['tags']), name] };
}

interface Attribute {
  readonly key: string;
  readonly value: Fields;
  readonly plain: unknown;
}

function fromTags(tags: unknown): Attribute[] {
  if (!Array.isArray(tags)) return [];
  return (tags as unknown[]).filter(isFields).map((tag) => {
    const { value: plain, type } = tag;
    const value =
      typeof plain === 'boolean' || type === 'bool'
        ? { boolValue: plain === true || plain === 'true' }
        : typeof plain === 'number' || type === 'int64' || type === 'float64'
          ? { doubleValue: Number(plain) }
          : { stringValue: String(plain) };
    return { key: String(tag['key']), value, plain };
  });
}

function parentOf(span: Fields): unknown {
  const references = Array.isArray(span['references']) ? (span['references'] as unknown[]) : [];
  const own = references
    .filter(isFields)
    .filter(({ traceID }) => traceID === undefined || traceID === span['traceID']);
  const parent = own.find(({ refType }) => refType === 'CHILD_OF') ?? own[0];
  return parent?.['spanID'] ?? span['parentSpanID'] ?? '';
}

/** Jaeger omits leading zeros of ids. */
function padded(id: unknown, length: number): string {
  return typeof id === 'string' && id !== '' ? id.padStart(length, '0') : '';
}

/** From microseconds. */
function nanoseconds(microseconds: unknown): string | undefined {
  const value = Number(microseconds);
  return Number.isFinite(value) && value >= 0 ? `${Math.round(value)}000` : undefined;
}
