import { boolean } from '../validation/checks.js';
import { type OptionTable, option } from '../validation/option-table.js';

/** What the application's logs contain. */
export interface LoggingOptions {
  /**
   * Add `trace_id`, `span_id` and `trace_flags` to what Nest's `ConsoleLogger` writes within a trace, as JSON and as text. For
   * other loggers, see `traceFields()`.
   */
  correlate?: boolean | undefined;
}

export const LOGGING_OPTIONS: OptionTable<LoggingOptions> = {
  correlate: option(boolean, { default: false }),
};
