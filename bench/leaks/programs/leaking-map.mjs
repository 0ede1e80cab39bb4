// A map that nothing is ever taken out of.
const seen = new Map();

export function handle({ id }) {
  seen.set(seen.size, { id, tags: Array.from({ length: 400 }, (_, n) => `tag ${seen.size} ${n}`) });
}
