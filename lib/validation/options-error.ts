/** A fault of an option or an environment variable. */
export interface OptionFault {
  /** `tracing.sampling.ratio` or `OTEL_HTTP_THRESHOLD_MS`. */
  path: string;
  /** The received value, shortened. Secrets are hidden. */
  received: string;
  /** The allowed values in words. */
  allowed: string;
}

/** Thrown for invalid options or environment variables. Lists all faults. */
export class PerformanceOptionsError extends TypeError {
  readonly code = 'ERR_PERFORMANCE_OPTIONS';

  constructor(readonly faults: readonly OptionFault[]) {
    super(
      faults
        .map(({ path, received, allowed }) => `${path} is ${received}, which is not allowed: give ${allowed}`)
        .join('\n'),
    );
    this.name = 'PerformanceOptionsError';
  }
}

/** A value as text for an error: shortened, and without the contents of objects, which may be secret. */
export function formatValue(value: unknown): string {
  if (typeof value === 'string')
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}
