// A map that nothing is ever taken out of.
const seen = new Map();

export function handle({ id, requests }) {
  seen.set(requests, { id, tags: Array.from({ length: 400 }, (_, n) => `tag ${requests} ${n}`) });
}
