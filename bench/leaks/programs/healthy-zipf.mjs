// A cache whose keys have a long tail, with a bound.
const cache = new Map();

export function handle() {
  const key = Math.floor(3000 ** Math.random());
  if (!cache.has(key))
    cache.set(
      key,
      Array.from({ length: 700 }, (_, n) => key * n + 0.5),
    );
}
