import { trace } from '@opentelemetry/api';
import { attempt } from '../async/thrown.js';
import { COST } from '../overhead/cost-points.js';
import { meter } from '../overhead/meter.js';
import { liveSpanOf } from '../spans/live-span.js';
import { MAX_RAW_LINE } from '../spans/log-text.js';
import { boundedText } from '../text/bounded-text.js';

/** What is read of a line may log itself, as the traps of a Proxy do. */
let isKeeping = false;

/**
 * Keeps a line of a logger that is not Nest's with the request that it is written in, where `logging.keep` is on. Does nothing
 * otherwise. Never throws.
 * @param level such as `warn`
 * @param message any value: it is cut, and secrets are removed from it before it is shown
 * @param context the part of the application that wrote it
 */
export function keepLogLine(level: string, message: unknown, context?: string): void {
  keepLine(level, context, () => boundedText(message, MAX_RAW_LINE));
}

/** The same for a message that is composed only if it is kept. */
export function keepLine(level: string, context: string | undefined, compose: () => string): void {
  if (isKeeping) return;
  isKeeping = true;
  const measured = meter.enter(COST.logLine);
  attempt('a log line is not kept', () => {
    const live = liveSpanOf(trace.getActiveSpan());
    const lines = live?.sink.lines;
    if (live === undefined || lines === undefined || live.root.ended) return;
    lines.add(live.request, performance.now(), { level: String(level), context, message: compose() });
  });
  meter.leave(COST.logLine, measured);
  isKeeping = false;
}
