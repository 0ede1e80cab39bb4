/** The options with every default filled in, as {@link ResolvedOptions}. */
export const RESOLVED_OPTIONS = Symbol.for('nestjs-performance.options');
/** The tracer provider that spans are made by: the application's own or the module's. */
export const TRACER_PROVIDER = Symbol.for('nestjs-performance.tracer-provider');
/** This module's part in the tracing of the process, as {@link Tracing}. */
export const TRACING = Symbol.for('nestjs-performance.tracing');
