// A job every ten seconds that loads 12 MB and holds them for two.
let rows = [];
setInterval(() => {
  rows = Array.from({ length: 1500 }, (_, id) => Array.from({ length: 1000 }, (_, n) => id * n + 0.5));
  setTimeout(() => {
    rows = [];
  }, 2000).unref();
}, 10_000).unref();

export function handle({ id }) {
  return rows[id % 1500]?.length;
}
