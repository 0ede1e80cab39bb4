import { MAX_INSTANCES, SUMMARY_TTL_MS } from './fleet-store.js';
import type { InstanceSummary } from './instance-summary.js';

/** An instance is lost if it has not published for so many of its intervals. */
const LOST_INTERVALS = 4;

/** Of the option: an entry of another format may say anything. */
const MIN_INTERVAL_MS = 1000;
const MAX_INTERVAL_MS = 60_000;

interface Seen {
  readonly sequence: number;
  readonly startedAt: number;
  /** When the latest change was seen, on the clock of this machine. */
  readonly changedAt: number;
}

export interface Sighting {
  /** Milliseconds since 1970, on the clock of this machine. */
  readonly lastSeen: number;
  /** It has not published for too long: it was killed, or its event loop is blocked. */
  readonly isLost: boolean;
  /** It is no longer listed. */
  readonly isExpired: boolean;
}

/**
 * When instances were last seen. The clocks of machines differ, so what counts is when this process saw a summary change; of
 * one that it has not seen change, the time within the summary.
 */
export class LastSeen {
  private seen = new Map<string, Seen>();

  /**
   * @param now milliseconds since 1970
   * @param looking milliseconds since the previous call: a change within a long time says nothing about when it was
   */
  update(
    summaries: readonly InstanceSummary[],
    now: number,
    looking: number,
  ): Map<InstanceSummary, Sighting> {
    const seen = new Map<string, Seen>();
    const result = new Map<InstanceSummary, Sighting>();
    for (const summary of summaries.slice(0, MAX_INSTANCES)) {
      const { key, sequence, startedAt, publishedAt, intervalMs } = summary;
      const before = this.seen.get(key);
      const isChanged =
        before === undefined || before.sequence !== sequence || before.startedAt !== startedAt;
      const limitMs = LOST_INTERVALS * Math.min(Math.max(intervalMs, MIN_INTERVAL_MS), MAX_INTERVAL_MS);
      const claimed = Math.min(now, publishedAt);
      const isRecent = before !== undefined && looking < limitMs;
      const changedAt = !isChanged ? before.changedAt : isRecent ? now : claimed;
      seen.set(key, { sequence, startedAt, changedAt });
      const ageMs = now - changedAt;
      result.set(summary, {
        lastSeen: changedAt,
        isLost: ageMs > limitMs,
        isExpired: ageMs > SUMMARY_TTL_MS,
      });
    }
    this.seen = seen;
    return result;
  }
}
