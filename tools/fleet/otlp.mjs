// Traces in OTLP/JSON: made here, and read from what an engine returns.
import { randomBytes } from 'node:crypto';

const VALUE = {
  boolean: (value) => ({ boolValue: value }),
  number: (value) => (Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value }),
  string: (value) => ({ stringValue: value }),
};

export const ERROR = 2;

/**
 * A trace of an incoming request and its children, which ended now.
 * @param {{ attributes?: object, status?: number }[]} parts one for each span, the root first
 */
export function makeTrace(parts, { durationMs = 20 } = {}) {
  const traceId = randomBytes(16).toString('hex');
  const rootId = randomBytes(8).toString('hex');
  const end = BigInt(Date.now()) * 1_000_000n;
  const spans = parts.map(({ attributes = {}, status = 0 }, index) => ({
    traceId,
    spanId: index === 0 ? rootId : randomBytes(8).toString('hex'),
    ...(index === 0 ? {} : { parentSpanId: rootId }),
    name: index === 0 ? 'GET /made' : `part ${index}`,
    kind: index === 0 ? 2 : 3,
    startTimeUnixNano: String(end - BigInt(durationMs) * 1_000_000n),
    endTimeUnixNano: String(end),
    attributes: Object.entries(attributes).map(([key, value]) => ({
      key,
      value: VALUE[typeof value](value),
    })),
    status: { code: status },
  }));
  return { traceId, spans };
}

/** Sends spans over HTTP. @throws Error unless they are accepted */
export async function sendSpans(url, service, spans) {
  const attributes = [{ key: 'service.name', value: { stringValue: service } }];
  const response = await fetch(`${url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      resourceSpans: [{ resource: { attributes }, scopeSpans: [{ scope: { name: 'fleet' }, spans }] }],
    }),
  });
  if (!response.ok) throw new Error(`The Collector answered ${response.status}: ${await response.text()}`);
}

/** The spans of a message, with plain attributes. */
export function readSpans({ resourceSpans = [] }) {
  return resourceSpans.flatMap(({ resource, scopeSpans = [] }) =>
    scopeSpans.flatMap(({ spans = [] }) =>
      spans.map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId || undefined,
        name: span.name,
        status: statusOf(span.status?.code),
        span: plain(span.attributes),
        resource: plain(resource?.attributes),
      })),
    ),
  );
}

function statusOf(code = 0) {
  return typeof code === 'number'
    ? code
    : ['STATUS_CODE_UNSET', 'STATUS_CODE_OK', 'STATUS_CODE_ERROR'].indexOf(code);
}

function plain(attributes = []) {
  return Object.fromEntries(
    attributes.map(({ key, value = {} }) => {
      const [[kind, inner] = []] = Object.entries(value);
      return [key, kind === 'intValue' ? Number(inner) : inner];
    }),
  );
}
