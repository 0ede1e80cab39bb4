/** Injects the options with all defaults, as {@link ResolvedOptions}. */
export const RESOLVED_OPTIONS = Symbol.for('nestjs-performance.options');
/** Injects the tracer provider: the application's own or the module's. */
export const TRACER_PROVIDER = Symbol.for('nestjs-performance.tracer-provider');
/** Injects the tracing of the module, as {@link Tracing}. */
export const TRACING = Symbol.for('nestjs-performance.tracing');
