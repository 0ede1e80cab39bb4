import { boolean, type Check, whole } from '../validation/checks.js';
import type { Complete } from '../validation/complete.js';
import { type OptionTable, option } from '../validation/option-table.js';

/** What the application's logs contain. */
export interface LoggingOptions {
  /**
   * Add `trace_id`, `span_id` and `trace_flags` to what Nest's `ConsoleLogger` writes within a trace, as JSON and as text. For
   * other loggers, see `traceFields()`.
   */
  correlate?: boolean | undefined;
  /**
   * Keep the last lines that Nest's loggers write within a request, and show them with the request if it was slow or failed,
   * without secrets. `true` keeps 20 lines; a number, so many. For other loggers, see `keepLogLine()`.
   */
  keep?: boolean | number | undefined;
}

const DEFAULT_LINES = 20;
const MAX_LINES = 100;
const keep: Check = {
  allowed: `true, false or a whole number of lines from 1 to ${MAX_LINES}`,
  accepts: (value) => boolean.accepts(value) || whole(1, MAX_LINES).accepts(value),
};

/** The lines of one request that are kept; undefined for none. */
export function linesKept({ keep }: Complete<LoggingOptions>): number | undefined {
  if (keep === false) return undefined;
  return keep === true ? DEFAULT_LINES : keep;
}

export const LOGGING_OPTIONS: OptionTable<LoggingOptions> = {
  correlate: option(boolean, { default: false }),
  keep: option(keep, { default: false }),
};
