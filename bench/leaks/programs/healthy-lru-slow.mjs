// A least-recently-used cache that takes half a minute until it is at its capacity of 18 MB.
const cache = new Map();

export function handle({ id, requests }) {
  if (requests % 4 > 0) return;
  cache.set(
    id,
    Array.from({ length: 1500 }, (_, n) => id * n + 0.5),
  );
  if (cache.size > 1500) cache.delete(cache.keys().next().value);
}
