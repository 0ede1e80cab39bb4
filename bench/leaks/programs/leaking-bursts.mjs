// Nothing for four seconds, then much for two.
const kept = [];

export function handle({ id }) {
  if (Date.now() % 6000 < 2000) kept.push(Array.from({ length: 1500 }, (_, n) => id * n + 0.5));
}
