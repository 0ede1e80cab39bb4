// Each callback keeps the one before, and its data.
let last = () => 0;

export function handle({ id }) {
  const before = last;
  const rows = Array.from({ length: 750 }, (_, n) => id + n + 0.5);
  last = () => rows.length + (before === undefined ? 0 : 1);
}
