// A least-recently-used cache at its capacity.
const cache = new Map();

export function handle({ id }) {
  cache.delete(id);
  cache.set(
    id,
    Array.from({ length: 500 }, (_, n) => id * n + 0.5),
  );
  if (cache.size > 1500) cache.delete(cache.keys().next().value);
}
