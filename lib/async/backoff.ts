const FIRST_MS = 1000;
const MAX_MS = 60_000;

/**
 * The pause after an attempt that failed: it doubles from a second to a minute, and half of it is left to chance, so
 * that many senders do not come back together ("equal jitter", Brooker, "Exponential Backoff And Jitter", AWS 2015).
 * @param attempt 0 after the first one
 */
export function backoffMs(attempt: number, random: () => number): number {
  const whole = Math.min(MAX_MS, FIRST_MS * 2 ** attempt);
  return whole / 2 + (random() * whole) / 2;
}
