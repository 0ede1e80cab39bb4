// Sessions that end a quarter of a minute after their request.
const sessions = new Map();

export function handle({ id, requests }) {
  const cart = Array.from({ length: 500 }, (_, n) => id * n + 0.5);
  sessions.set(requests, cart);
  setTimeout(() => sessions.delete(requests), 15_000).unref();
}
