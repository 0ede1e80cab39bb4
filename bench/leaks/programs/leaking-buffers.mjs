// Buffers that are kept: outside the heap, so the limit is the process's.
const kept = [];
export const rssLimitBytes = 384 * 2 ** 20;

export function handle({ id }) {
  kept.push(Buffer.alloc(20_000, id % 256));
}
