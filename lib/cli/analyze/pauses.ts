/**
 * What of a gap between two pieces of work may be the application's own work on what it has read. A trace does not
 * tell it from idleness, as the live library's event loop does: only what goes beyond is a pause.
 */
const OWN_MS = 5;

/** How long a request has waited for nothing that is seen: what tells a poll from an N+1. */
export class Pauses {
  /** Milliseconds until now. */
  sum = 0;
  private running = 0;

  constructor(private since: number) {}

  workBegins(now: number): void {
    if (this.running++ === 0) this.sum += Math.max(0, now - this.since - OWN_MS);
  }

  workEnds(now: number): void {
    if (--this.running === 0) this.since = now;
  }
}
