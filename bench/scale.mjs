// Whether the cost of a piece of work depends on how much there is: operations with different names, and spans of one trace.
// Usage: node bench/scale.mjs [ROUNDS]
import { median, print, spread, table, verdict } from './support/figures.mjs';
import { rotated, run } from './support/processes.mjs';

const ROUNDS = Number(process.argv[2] ?? 5);
/** The last of each is compared with the one that is named. */
const SHAPES = {
  operations: { unit: 'an operation', sizes: [1, 100, 1000, 10_000], from: 100 },
  spans: { unit: 'a span', sizes: [1, 100, 10_000, 100_000], from: 100 },
};

for (const [what, { unit, sizes, from }] of Object.entries(SHAPES)) {
  const ns = Object.fromEntries(sizes.map((size) => [size, []]));
  for (let round = 0; round < ROUNDS; round++)
    for (const size of rotated(sizes, round))
      ns[size].push(await run('scale/measure.mjs', [what, `${size}`]));
  print(`\nCPU ns for ${unit}, ${ROUNDS} rounds: median (min to max)`);
  table(
    [what, 'ns'],
    sizes.map((size) => [size.toLocaleString('en-US'), spread(ns[size], 0)]),
  );
  const last = sizes.at(-1);
  const ratio = median(ns[last].map((value, round) => value / ns[from][round]));
  verdict(`${what}: cost with ${last} of that with ${from}`, ratio, 1.2, '');
}
