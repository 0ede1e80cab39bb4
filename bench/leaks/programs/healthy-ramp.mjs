// Traffic that grows eightfold, each request with 20 KB in its hands for a quarter of a second.
import { setTimeout as sleep } from 'node:timers/promises';

export const ratePerSecond = (second) => 50 + 6 * second;

export async function handle({ id }) {
  const rows = Array.from({ length: 2500 }, (_, n) => id * n + 0.5);
  await sleep(250);
  return rows.length;
}
