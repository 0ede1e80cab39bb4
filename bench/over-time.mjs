// What it takes to know operations over time: memory of each, and the time and the pauses of a tick.
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
print(`${OPERATIONS} operations, each with a day of traffic, two versions stored, ${ROUNDS} rounds: median (min to max)`);
table(
  ['what', 'figure'],
  [
    ['heap and array buffers, bytes per operation', spread(of('bytes'), 0)],
    ['of that without a history', spread(of('plainBytes'), 0)],
    ['a tick in which no window is over, ms', spread(of('idleMs'), 2)],
    ['a tick in which every window is over, ms', spread(of('busyMs'), 2)],
    ['a tick in which every operation got slower, ms', spread(of('slowerMs'), 2)],
    ['the longest of its steps, ms', spread(of('stepMs'), 2)],
    ['the whole of the event loop that a slice takes, longest, ms', spread(of('pauseMs'), 2)],
  ],
);
verdict('bytes per operation', median(of('bytes')), 8192, '');
verdict('a tick in which every window is over', median(of('busyMs')), 20, ' ms');
verdict('the longest slice', median(of('pauseMs')), 5, ' ms');
