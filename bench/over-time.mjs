// The cost of long-term analysis: memory per operation, and the time and the pauses of a tick.
// Usage: node bench/over-time.mjs
import { median, print, spread, table, verdict } from './support/figures.mjs';
import { run } from './support/processes.mjs';

const ROUNDS = 3;
const OPERATIONS = '1000';
const results = [];
for (let round = 0; round < ROUNDS; round++) {
  results.push(await run('over-time/measure.mjs', [OPERATIONS, String(round + 1)], ['--expose-gc']));
}
const of = (key) => results.map((result) => result[key]);
print(`${OPERATIONS} operations with a day of traffic each, ${ROUNDS} rounds: median (min to max)`);
table(
  ['what', 'figure'],
  [
    ['bytes of heap and array buffers per operation, without a history', spread(of('plainBytes'), 0)],
    ['with one', spread(of('bytes'), 0)],
    ['with one, and two versions stored: the first day after a deploy', spread(of('deployedBytes'), 0)],
    ['a tick in which no window is over, ms', spread(of('idleMs'), 2)],
    ['a tick of a minute in which every window is over, ms', spread(of('busyMs'), 2)],
    ['the longest of them', spread(of('busiestMs'), 2)],
    ['the longest one while every operation gets slower, ms', spread(of('slowerMs'), 2)],
    ['what others wait meanwhile, the longest, ms', spread(of('pauseMs'), 2)],
    ['the 99th percentile of that', spread(of('p99Ms'), 2)],
  ],
);
verdict('bytes per operation', median(of('bytes')), 8192, '');
verdict('a tick of a minute in which every window is over', median(of('busyMs')), 20, ' ms');
verdict('what others wait meanwhile', median(of('pauseMs')), 5, ' ms');
