// The cost of counting an operation, and the part of its history. Usage: node bench/statistics.mjs [ROUNDS]
import { median, print, spread, table, verdict } from './support/figures.mjs';
import { rotated, run } from './support/processes.mjs';

const ROUNDS = Number(process.argv[2] ?? 5);
const VARIANTS = {
  'few-plain': '10 operations, without history',
  few: '10 operations',
  'many-plain': '1,000 operations, without history',
  many: '1,000 operations',
  work: '10 operations, with their breakdown',
};
const names = Object.keys(VARIANTS);

const ns = Object.fromEntries(names.map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const name of rotated(names, round)) ns[name].push(await run('statistics/measure.mjs', [name]));
}
print(`CPU ns per counted operation, ${ROUNDS} rounds: median (min to max)`);
table(
  ['variant', 'ns'],
  names.map((name) => [VARIANTS[name], spread(ns[name], 0)]),
);
const added = (name) => median(ns[name].map((value, round) => value - ns[`${name}-plain`][round]));
verdict('history per operation, with 10 operations', added('few'), 60, ' ns');
verdict('history per operation, with 1,000 operations', added('many'), 60, ' ns');
verdict('counting and history per operation, with 10 operations', median(ns.few), 60, ' ns');
