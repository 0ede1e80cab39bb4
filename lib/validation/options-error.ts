import { withoutCredentials } from '../text/address.js';

/** A fault of an option or an environment variable. */
export interface OptionFault {
  /** The option or environment variable: `tracing.sampling.ratio`, `OTEL_HTTP_THRESHOLD_MS`. */
  path: string;
  /** The received value, shortened; secrets are hidden. */
  received: string;
  /** The expected value. */
  allowed: string;
}

/** The message of an invalid value: `Invalid X: received Y, expected Z`. */
export function invalid(name: string, received: string, expected: string): string {
  return `Invalid ${name}: received ${received}, expected ${expected}`;
}

/** Thrown for invalid options or environment variables. The message lists all of them, one per line. */
export class PerformanceOptionsError extends TypeError {
  readonly code = 'ERR_PERFORMANCE_OPTIONS';

  constructor(readonly faults: readonly OptionFault[]) {
    super(faults.map(({ path, received, allowed }) => invalid(path, received, allowed)).join('\n'));
    this.name = 'PerformanceOptionsError';
  }
}

/** A value as errors show it: shortened, without credentials, and without the contents of objects, which may be secret. */
export function formatValue(value: unknown): string {
  if (typeof value === 'string') {
    const text = withoutCredentials(value.slice(0, 1000));
    return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
  }
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}
