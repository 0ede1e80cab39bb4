// Intervals that are never cleared.
export function handle({ id }) {
  const rows = Array.from({ length: 750 }, (_, n) => id * n + 0.5);
  setInterval(() => rows.at(-1), 3_600_000).unref();
}
