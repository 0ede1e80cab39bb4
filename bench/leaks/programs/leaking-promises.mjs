// Requests that wait for an answer that never comes, with what they have in their hands.
const waiting = new Map();

export function handle({ id }) {
  const rows = Array.from({ length: 750 }, (_, n) => id * n + 0.5);
  new Promise((resolve) => waiting.set(waiting.size, resolve)).then(() => rows.at(-1));
}
