/** One fault of the options or the environment. */
export interface OptionFault {
  /** Where: `tracing.sampling.ratio` or `OTEL_HTTP_THRESHOLD_MS`. */
  path: string;
  /** What was given, in short; a secret is hidden. */
  received: string;
  /** What is allowed. */
  allowed: string;
}

/** Thrown for options or environment variables that are not right. Names every fault, not the first alone. */
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

/** A value as an error shows it: short, and without what may be secret. */
export function formatValue(value: unknown): string {
  if (typeof value === 'string')
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}
