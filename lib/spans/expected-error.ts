import type { Attributes } from '@opentelemetry/api';
import type { LiveSpan } from './live-span.js';
import type { SdkSpan } from './sdk-span.js';

/**
 * gRPC's status codes for which the caller is responsible. OpenTelemetry's conventions set none of them as the error of a
 * server; instrumentations do.
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
 * Nest's exceptions with a 4xx status: a span has the name of what was thrown, and not its status. Not among them:
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

/**
 * Whether the error of a span that ended with one does not mean that the service is broken:
 *
 * - a served request that was not answered with 5xx: the caller's mistake, or the caller went away
 * - an outgoing call that was answered with 4xx, and gRPC's codes of the same meaning: whether something exists is
 *   often asked that way. Refused connections, timeouts and 5xx are failures.
 * - an exception that Nest answers with 4xx, wherever it passes through
 * - whatever is left of a request whose client has gone away
 *
 * Called for spans with an error alone.
 */
export function isExpectedError(span: Pick<SdkSpan, 'attributes' | 'events'>, state: LiveSpan): boolean {
  if (state.expectsError) return true;
  if (state.http !== undefined) return state.http.statusCode < 500;
  return hasStatusOfCaller(span.attributes) || hasExceptionOfCaller(span.events) || hasNoCaller(state);
}

/** Whether Nest answers with 4xx to what was thrown. Never throws. */
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

function hasExceptionOfCaller(events: SdkSpan['events']): boolean {
  const last = events?.at(-1);
  return last?.name === 'exception' && EXCEPTIONS_OF_CALLERS.has(last.attributes?.['exception.type']);
}

function hasNoCaller({ root }: LiveSpan): boolean {
  return root.ended && root.http?.evidence().aborted === true;
}
