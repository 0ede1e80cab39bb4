// The cost of tracing.providers for each call of a method, within a request and beyond its spans.
// Usage: node bench/providers.mjs [ROUNDS]
import { median, print, spread, table } from './support/figures.mjs';
import { rotated, run } from './support/processes.mjs';

const ROUNDS = Number(process.argv[2] ?? 7);
const VARIANTS = {
  off: 'not measured',
  spans: 'measured by a span: the first 50 calls of a request',
  counted: 'counted: further calls of a request',
};
const KINDS = { sync: 'a method that returns a value', async: 'an async method that is awaited' };
const names = Object.keys(VARIANTS);

for (const [kind, what] of Object.entries(KINDS)) {
  const ns = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++)
    for (const name of rotated(names, round)) ns[name].push(await run('providers/measure.mjs', [name, kind]));
  const added = (name) => ns[name].map((value, round) => value - ns.off[round]);
  const ratio = (name) => ns[name].map((value, round) => value / ns.spans[round]);
  print(`CPU ns per call of ${what}, ${ROUNDS} rounds: median (min to max)`);
  table(
    ['variant', 'ns', 'added ns', 'of the cost with a span'],
    names.map((name) => [
      VARIANTS[name],
      spread(ns[name], 0),
      spread(added(name), 0),
      spread(ratio(name), 3),
    ]),
  );
  print(`A call with a span adds ${(median(added('spans')) / 1000).toFixed(2)} us.`);
}
