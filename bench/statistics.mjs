// What counting one operation costs, and what of that its history is. Usage: node bench/statistics.mjs [ROUNDS]
import { median, print, spread, table, verdict } from './support/figures.mjs';
import { rotated, run } from './support/processes.mjs';

const ROUNDS = Number(process.argv[2] ?? 5);
const VARIANTS = {
  'few-plain': '10 operations, without history',
  few: '10 operations',
  'many-plain': '1,000 operations, without history',
  many: '1,000 operations',
  work: '10 operations, with what they spent their time on',
};
const names = Object.keys(VARIANTS);

const ns = Object.fromEntries(names.map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const name of rotated(names, round)) ns[name].push(await run('statistics/measure.mjs', [name]));
}
print(`CPU ns per operation that is counted, ${ROUNDS} rounds: median (min to max)`);
table(
  ['variant', 'ns'],
  names.map((name) => [VARIANTS[name], spread(ns[name], 0)]),
);
const added = (name) => median(ns[name].map((value, round) => value - ns[`${name}-plain`][round]));
verdict('the history of an operation, 10 of them', added('few'), 60, ' ns');
verdict('the history of an operation, 1,000 of them', added('many'), 60, ' ns');
verdict('counting and history together, 10 operations', median(ns.few), 60, ' ns');
