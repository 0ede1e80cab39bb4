// A cache without a bound; half of its users come again.
const cache = new Map();

export function handle({ id }) {
  const user = Math.random() < 0.5 ? id % 50 : id;
  if (!cache.has(user)) cache.set(user, JSON.stringify(Array.from({ length: 1600 }, (_, n) => user + n)));
}
