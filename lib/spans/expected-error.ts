import type { Attributes } from '@opentelemetry/api';
import type { LiveSpan } from './live-span.js';
import type { SdkSpan } from './sdk-span.js';

/**
 * The gRPC status codes that the caller is responsible for. By OpenTelemetry's conventions they are no errors of a server
 * span, but some instrumentations set them as such.
 */
const GRPC_CODES_OF_CALLERS: ReadonlySet<unknown> = new Set(
  Object.entries({
    CANCELLED: 1,
    INVALID_ARGUMENT: 3,
    NOT_FOUND: 5,
    ALREADY_EXISTS: 6,
    PERMISSION_DENIED: 7,
    RESOURCE_EXHAUSTED: 8,
    FAILED_PRECONDITION: 9,
    ABORTED: 10,
    OUT_OF_RANGE: 11,
    UNAUTHENTICATED: 16,
  }).flatMap(([name, code]) => [name, code, String(code)]),
);

/**
 * Nest's exceptions with a 4xx status: a span records the name of an exception and not its status. Without
 * `RequestTimeoutException`, which an application throws when it was itself too slow.
 */
const EXCEPTIONS_OF_CALLERS: ReadonlySet<unknown> = new Set([
  'BadRequestException',
  'UnauthorizedException',
  'ForbiddenException',
  'NotFoundException',
  'MethodNotAllowedException',
  'NotAcceptableException',
  'ConflictException',
  'GoneException',
  'PreconditionFailedException',
  'PayloadTooLargeException',
  'UnsupportedMediaTypeException',
  'ImATeapotException',
  'MisdirectedException',
  'UnprocessableEntityException',
  'ThrottlerException',
]);

/** What a client of Redis sends about itself when it connects. Older servers do not know `CLIENT SETINFO`, and it goes on. */
const HANDSHAKE = /^client\b/i;

/**
 * Whether the error of a span is expected, so that it does not count as a failure of the service:
 *
 * - an incoming request without a 5xx response or a failed resolver: the error is the caller's, or the client disconnected
 * - an outgoing call with a 4xx response or an equivalent gRPC code, as often used to check whether something exists.
 *   Refused connections, timeouts and 5xx are failures.
 * - an exception that Nest answers with 4xx, in any span
 * - `CLIENT`, a part of the handshake of a Redis client
 * - any span that ends after the client has disconnected
 *
 * Call it only for spans that ended with an error.
 */
export function isExpectedError(span: Pick<SdkSpan, 'attributes' | 'events'>, live: LiveSpan): boolean {
  if (live.expectsError) return true;
  if (live.http !== undefined) return live.http.statusCode < 500 && live.http.hasFailedResolver !== true;
  const { attributes, events } = span;
  return (
    hasStatusOfCaller(attributes) ||
    hasExceptionOfCaller(events) ||
    isHandshake(attributes) ||
    hasDisconnected(live)
  );
}

/** Whether Nest answers a thrown value with 4xx. Never throws. */
export function isErrorOfCaller(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  try {
    const { getStatus, statusCode } = error as { getStatus?: unknown; statusCode?: unknown };
    return isStatusOfCaller(typeof getStatus === 'function' ? getStatus.call(error) : statusCode);
  } catch {
    return false;
  }
}

function isStatusOfCaller(status: unknown): boolean {
  return typeof status === 'number' && status >= 400 && status < 500;
}

function hasStatusOfCaller(attributes: Attributes): boolean {
  return (
    isStatusOfCaller(attributes['http.response.status_code'] ?? attributes['http.status_code']) ||
    GRPC_CODES_OF_CALLERS.has(attributes['rpc.response.status_code'] ?? attributes['rpc.grpc.status_code'])
  );
}

function isHandshake(attributes: Attributes): boolean {
  if ((attributes['db.system.name'] ?? attributes['db.system']) !== 'redis') return false;
  const command = attributes['db.operation.name'] ?? attributes['db.operation'];
  const text = command ?? attributes['db.query.text'] ?? attributes['db.statement'];
  return typeof text === 'string' && HANDSHAKE.test(text);
}

function hasExceptionOfCaller(events: SdkSpan['events']): boolean {
  const last = events?.at(-1);
  return last?.name === 'exception' && EXCEPTIONS_OF_CALLERS.has(last.attributes?.['exception.type']);
}

function hasDisconnected({ root }: LiveSpan): boolean {
  return root.ended && root.http?.evidence().aborted === true;
}
