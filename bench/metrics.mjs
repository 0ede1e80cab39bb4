// The cost of metrics: counting, a scrape and an export. Usage: node bench/metrics.mjs [ROUNDS]
import { median, print, spread, table, verdict } from './support/figures.mjs';
import { answer, rotated, run, start, stop } from './support/processes.mjs';

const ROUNDS = Number(process.argv[2] ?? 7);
const VARIANTS = {
  off: 'metrics.enabled is false',
  on: 'metrics counted',
  instruments: "the same, and reported to the application's meter provider",
};
const names = Object.keys(VARIANTS);

const ns = Object.fromEntries(names.map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const name of rotated(names, round)) ns[name].push(await run('metrics/measure-recording.mjs', [name]));
}
const added = (name) => ns[name].map((value, round) => value - ns.off[round]);
print(
  `CPU ns per counted incoming request, 200 routes with two statuses, ${ROUNDS} rounds: median (min to max)`,
);
table(
  ['variant', 'ns', 'added'],
  names.map((name) => [VARIANTS[name], spread(ns[name], 0), spread(added(name), 0)]),
);
verdict('counting for metrics', median(added('on')), 60, ' ns');

const receiver = start('metrics/receiver.mjs');
try {
  const endpoint = await answer(receiver);
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++)
    rounds.push(await run('metrics/measure-reading.mjs', [endpoint], ['--single-threaded-gc']));
  print(`\n1,000 operations and 800 series of routes, ${ROUNDS} processes of 10 each: median (min to max)`);
  const row = (what, key, unit) => [what, spread(rounds.map((one) => one[key])), unit];
  table(
    ['', 'figure', 'unit'],
    [
      row('a scrape, text', 'scrapeBytes', 'bytes'),
      row('a scrape, CPU time', 'scrapeMs', 'ms'),
      row('a scrape, longest hold, median of 10', 'scrapeHoldMs', 'ms'),
      row('a scrape, longest hold, worst of 10', 'scrapeWorstMs', 'ms'),
      row('an export, CPU time', 'exportMs', 'ms'),
      row('an export, longest hold, median of 10', 'exportHoldMs', 'ms'),
      row('an export, longest hold, worst of 10', 'exportWorstMs', 'ms'),
    ],
  );
  verdict('a scrape holds the event loop for', median(rounds.map((one) => one.scrapeHoldMs)), 2, ' ms');
} finally {
  await stop(receiver);
}
