// Templates that are compiled at their first use, 500 of them; then nothing more.
const templates = new Map();

export function handle({ id }) {
  const name = id % 500;
  if (!templates.has(name))
    templates.set(
      name,
      Array.from({ length: 1500 }, (_, n) => name * n + 0.5),
    );
}
