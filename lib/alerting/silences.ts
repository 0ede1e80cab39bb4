import { matchesPattern } from './alert-filter.js';
import type { SilenceOptions } from './alert-options.js';

interface Silence {
  readonly rule: string | undefined;
  readonly subject: string | undefined;
  readonly from: number;
  readonly until: number;
  /** Minutes since midnight. */
  readonly daily: { readonly from: number; readonly to: number } | undefined;
}

/** The number of silences. Beyond it, expired ones are dropped first, then the oldest. */
export const MAX_SILENCES = 1000;

/** Suppresses notifications. Silenced alerts keep their state, and are notified when the silence ends. */
export class Silences {
  private readonly kept = new Set<Silence>();

  constructor(silences: readonly SilenceOptions[] = []) {
    for (const options of silences) this.kept.add(silenceOf(options));
  }

  get size(): number {
    return this.kept.size;
  }

  /** Adds a silence. @returns a function that ends it */
  add(options: SilenceOptions, now: number): () => void {
    for (const silence of this.kept) if (silence.until <= now) this.kept.delete(silence);
    if (this.kept.size >= MAX_SILENCES) {
      for (const oldest of this.kept) {
        this.kept.delete(oldest);
        break;
      }
    }
    const silence = silenceOf(options);
    this.kept.add(silence);
    return () => {
      this.kept.delete(silence);
    };
  }

  /** @param now milliseconds since 1970 */
  covers(alert: { readonly rule: string; readonly subject?: string }, now: number): boolean {
    for (const silence of this.kept) if (covers(silence, alert, now)) return true;
    return false;
  }
}

function silenceOf({ rule, subject, from, until, daily }: SilenceOptions): Silence {
  return {
    rule,
    subject,
    from: from === undefined ? Number.NEGATIVE_INFINITY : momentOf(from),
    until: until === undefined ? Number.POSITIVE_INFINITY : momentOf(until),
    daily: daily && { from: minutesOf(daily.from), to: minutesOf(daily.to) },
  };
}

function covers(
  silence: Silence,
  alert: { readonly rule: string; readonly subject?: string },
  now: number,
): boolean {
  if (now < silence.from || now >= silence.until) return false;
  if (silence.rule !== undefined && !matchesPattern(silence.rule, alert.rule)) return false;
  if (silence.subject !== undefined && !matchesPattern(silence.subject, alert.subject ?? '')) return false;
  if (silence.daily === undefined) return true;
  const { from, to } = silence.daily;
  const date = new Date(now);
  const minutes = date.getHours() * 60 + date.getMinutes();
  return from <= to ? minutes >= from && minutes < to : minutes >= from || minutes < to;
}

/** Milliseconds since 1970. */
function momentOf(moment: Date | number | string): number {
  return new Date(moment).getTime();
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}
