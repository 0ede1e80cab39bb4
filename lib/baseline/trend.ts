import { duration, megabytes, milliseconds, moment, percent } from '../text/quantities.js';

/** A significant slow rise over hours or days. Plain data, fit for JSON; moments in milliseconds since 1970. */
export interface Trend {
  /** The latency of an operation, or a resource of the process. */
  readonly subject:
    | { readonly kind: 'operation'; readonly type: string; readonly name: string }
    | { readonly kind: 'resource'; readonly name: 'heap_used' | 'rss' | 'event_loop_delay' | 'cpu' };
  readonly unit: 'ms' | 'bytes' | 'ratio';
  readonly from: number;
  readonly to: number;
  /** The fitted value at `from` and at `to`. */
  readonly first: number;
  readonly last: number;
  /** In `unit` per hour, with its 95 % confidence interval. */
  readonly slopePerHour: number;
  readonly interval: readonly [number, number];
  readonly pValue: number;
  /** The threshold or limit that it reaches if it continues, and when. */
  readonly forecast?: { readonly limit: number; readonly reachedAt: number };
  readonly explanation: string;
}

const RESOURCE_WORDS = {
  heap_used: 'The used heap',
  rss: 'The memory of the process (RSS)',
  event_loop_delay: 'The event loop delay',
  cpu: 'The CPU usage',
} as const;
const AMOUNT_WORDS = { ms: milliseconds, bytes: megabytes, ratio: percent } as const;

/** Explains a trend in one or two sentences. Moments are in UTC. */
export function wordsOfTrend(trend: Omit<Trend, 'explanation'>): string {
  const { subject, unit, from, to, first, last, slopePerHour, forecast } = trend;
  const amount = AMOUNT_WORDS[unit];
  const what = subject.kind === 'operation' ? `The latency of ${subject.name}` : RESOURCE_WORDS[subject.name];
  const growth = first > 0 ? `${Math.round(((last - first) / first) * 100)} %, ` : '';
  const rise = `${what} is rising slowly: ${amount(first)} -> ${amount(last)} in ${duration(to - from)} (${growth}${amount(slopePerHour)} per hour).`;
  if (forecast === undefined) return rise;
  return `${rise} At this rate it reaches ${amount(forecast.limit)} at ${moment(forecast.reachedAt)}.`;
}
