import { type Attributes, type AttributeValue, SpanKind } from '@opentelemetry/api';

// Values of OTLP JSON. Writers differ: numbers as numbers or strings, enums by number or by name.

export type Fields = Readonly<Record<string, unknown>>;

/** Whether a value is an object and not an array. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The kind of a value, for error messages. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** Attributes from `[{ key, value: { stringValue } }]`. Values without a counterpart in the API are omitted. */
export function attributesOf(list: unknown): Attributes {
  if (!Array.isArray(list)) return {};
  const attributes: [string, AttributeValue][] = [];
  for (const entry of list as unknown[]) {
    if (!isFields(entry)) continue;
    const { key } = entry;
    if (typeof key !== 'string') continue;
    const value = plainValue(entry['value']);
    if (value !== undefined) attributes.push([key, value]);
  }
  return Object.fromEntries(attributes);
}

function plainValue(value: unknown): AttributeValue | undefined {
  if (!isFields(value)) return undefined;
  if (typeof value['stringValue'] === 'string') return value['stringValue'];
  const number = value['intValue'] ?? value['doubleValue'];
  if (typeof number === 'string' || typeof number === 'number') return Number(number);
  if (typeof value['boolValue'] === 'boolean') return value['boolValue'];
  const array = value['arrayValue'];
  if (!isFields(array) || !Array.isArray(array['values'])) return undefined;
  return (array['values'] as unknown[]).map((one) => {
    const plain = plainValue(one);
    return plain === undefined || Array.isArray(plain) ? null : String(plain);
  });
}

/** An id of this length as lower-case hexadecimal digits, from hexadecimal or base64. Empty if invalid or zero. */
export function idOf(value: unknown, bytes: number): string {
  if (typeof value !== 'string') return '';
  const id = value.length === 2 * bytes ? value.toLowerCase() : Buffer.from(value, 'base64').toString('hex');
  return id.length === 2 * bytes && /^[0-9a-f]*[1-9a-f][0-9a-f]*$/.test(id) ? id : '';
}

const KINDS: readonly SpanKind[] = [
  SpanKind.INTERNAL,
  SpanKind.INTERNAL,
  SpanKind.SERVER,
  SpanKind.CLIENT,
  SpanKind.PRODUCER,
  SpanKind.CONSUMER,
];
const KIND_NAMES = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];

/** `SPAN_KIND_CLIENT`, `Client` or 3. */
export function spanKindOf(value: unknown): SpanKind {
  const isName = typeof value === 'string' && !/^\d$/.test(value);
  const index = isName ? KIND_NAMES.indexOf(value.toUpperCase().replace(/^SPAN_KIND_/, '')) : Number(value);
  return KINDS[index] ?? SpanKind.INTERNAL;
}

/** `{ code: 2 }` or `{ code: 'STATUS_CODE_ERROR' }` */
export function isError(status: unknown): boolean {
  return isFields(status) && (status['code'] === 2 || status['code'] === 'STATUS_CODE_ERROR');
}
