const FIRST_MS = 1000;
const MAX_MS = 60_000;

/**
 * The delay in milliseconds before a retry. It doubles from a second to a minute, and half of it is random, so that many
 * senders do not retry at the same time ("equal jitter", Brooker, "Exponential Backoff And Jitter", AWS 2015).
 * @param attempt 0 after the first failure
 * @param random returns a number from 0 to 1
 */
export function backoffMs(attempt: number, random: () => number): number {
  const delayMs = Math.min(MAX_MS, FIRST_MS * 2 ** attempt);
  return delayMs / 2 + (random() * delayMs) / 2;
}
