// What a span costs more once SlowSpanProcessor sees it, and what of that explaining is. Usage: node bench/span.mjs [ROUNDS]
import { median, print, spread, table, verdict } from './support/figures.mjs';
import { rotated, run } from './support/processes.mjs';

const ROUNDS = Number(process.argv[2] ?? 7);
const VARIANTS = {
  none: 'SDK without a processor',
  'no-op': 'SDK with a no-op processor',
  unexplained: 'SlowSpanProcessor, nothing is slow, detection.explain is false',
  slow: 'SlowSpanProcessor, nothing is slow',
  redacting: 'the same with redaction, as the module adds it',
  'all-slow-unexplained': 'SlowSpanProcessor, every span is slow, detection.explain is false',
  'all-slow': 'SlowSpanProcessor, every span is slow',
};
const names = Object.keys(VARIANTS);

const ns = Object.fromEntries(names.map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const name of rotated(names, round)) ns[name].push(await run('span/measure.mjs', [name]));
}
// The SDK with a processor is what any application has: without one it does not even run the hooks.
const added = (name, to = 'no-op') => ns[name].map((value, round) => value - ns[to][round]);
print(`CPU ns per span, started and ended, ${ROUNDS} rounds: median (min to max)`);
table(
  ['variant', 'ns', 'added to the SDK with a no-op processor'],
  names.map((name) => [VARIANTS[name], spread(ns[name], 0), spread(added(name), 0)]),
);
verdict('added per span', median(added('slow')), 400, ' ns');
verdict('added per span, with redaction', median(added('redacting')), 400, ' ns');
print(`A slow span adds ${(median(added('all-slow')) / 1000).toFixed(2)} us.`);
verdict('explaining, per span that is not slow', median(added('slow', 'unexplained')), 300, ' ns');
verdict(
  'explaining, per span that is slow',
  median(added('all-slow', 'all-slow-unexplained')) / 1000,
  50,
  ' us',
);
