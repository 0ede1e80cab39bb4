import { types } from 'node:util';
import { diag } from '@opentelemetry/api';
import { withoutCredentials } from '../text/address.js';

const MAX_REASON = 500;
const NOT_READABLE = 'a value that cannot be read';

/**
 * The message of an error, or any other thrown value as text, shortened and without credentials. Never throws: what is thrown may be anything, such as
 * an error whose getters throw, an object without a prototype, or a proxy.
 */
export function reasonOf(thrown: unknown): string {
  try {
    const text = isError(thrown) ? thrown.message : (messageIn(thrown) ?? thrown);
    return withoutCredentials(String(text).slice(0, MAX_REASON));
  } catch {
    return NOT_READABLE;
  }
}

/** Whether a value is an error, also of another context of V8, as within `node:vm`. */
export function isError(thrown: unknown): thrown is Error {
  return thrown instanceof Error || types.isNativeError(thrown);
}

/** The message of an object that is no error, as some transports and libraries throw. */
function messageIn(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  const { message } = thrown as { message?: unknown };
  return typeof message === 'string' ? message : undefined;
}

/** The same with the name of the error and the line that threw it. */
export function describeThrown(thrown: unknown): string {
  try {
    if (!isError(thrown)) return reasonOf(thrown);
    const text = withoutCredentials(String(thrown).slice(0, MAX_REASON));
    const frame = stackOf(thrown)
      ?.split('\n')
      .find((line) => /^\s+at /.test(line));
    return frame === undefined ? text : `${text} (${frame.trim()})`;
  } catch {
    return NOT_READABLE;
  }
}

/** The stack of an error; undefined if it has none that can be read. Never throws. */
export function stackOf(thrown: unknown): string | undefined {
  try {
    const stack: unknown = isError(thrown) ? thrown.stack : undefined;
    return typeof stack === 'string' ? stack : undefined;
  } catch {
    return undefined;
  }
}

/** Logs a failure to OpenTelemetry's diagnostics. Never throws, whatever was thrown and whichever logger is set. */
export function reportFault(what: string, thrown: unknown): void {
  try {
    diag.error(`nestjs-performance: ${what}`, stackOf(thrown) ?? reasonOf(thrown));
  } catch {
    // The logger is the application's.
  }
}

/**
 * Runs work of this package within a call of the application. What it throws is logged, and reaches nobody.
 * @param what the failure, for the log
 */
export function attempt<T>(what: string, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    reportFault(what, error);
    return undefined;
  }
}

/** The name of an error, or the type of any other thrown value. Never throws. */
export function errorNameOf(thrown: unknown): string {
  try {
    return isError(thrown) ? String(thrown.name) : typeof thrown;
  } catch {
    return typeof thrown;
  }
}
