// The cost that SlowSpanProcessor adds to a span, and the part of explanations. Usage: node bench/span.mjs [ROUNDS]
import { median, print, spread, table, verdict } from './support/figures.mjs';
import { rotated, run } from './support/processes.mjs';

const ROUNDS = Number(process.argv[2] ?? 7);
const VARIANTS = {
  none: 'SDK without a processor',
  'no-op': 'SDK with a no-op processor',
  unexplained: 'SlowSpanProcessor, no slow spans, detection.explain is false',
  slow: 'SlowSpanProcessor, no slow spans',
  redacting: 'the same with redaction, as the module adds it',
  'all-slow-unexplained': 'SlowSpanProcessor, only slow spans, detection.explain is false',
  'all-slow': 'SlowSpanProcessor, only slow spans',
};
const names = Object.keys(VARIANTS);

const ns = Object.fromEntries(names.map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const name of rotated(names, round)) ns[name].push(await run('span/measure.mjs', [name]));
}
// Compared with a processor, as every application has one: without it the SDK does not run the hooks.
const added = (name, to = 'no-op') => ns[name].map((value, round) => value - ns[to][round]);
print(`CPU ns per span, started and ended, ${ROUNDS} rounds: median (min to max)`);
table(
  ['variant', 'ns', 'added to the SDK with a no-op processor'],
  names.map((name) => [VARIANTS[name], spread(ns[name], 0), spread(added(name), 0)]),
);
verdict('added per span', median(added('slow')), 400, ' ns');
verdict('added per span, with redaction', median(added('redacting')), 400, ' ns');
print(`A slow span adds ${(median(added('all-slow')) / 1000).toFixed(2)} us.`);
verdict('explanations, per fast span', median(added('slow', 'unexplained')), 300, ' ns');
verdict('explanations, per slow span', median(added('all-slow', 'all-slow-unexplained')) / 1000, 50, ' us');
