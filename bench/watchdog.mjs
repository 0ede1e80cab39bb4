// The cost of the event loop's watchdog, and how long a capture stops the main thread.
// Usage: node bench/watchdog.mjs [ROUNDS]
import { median, print, spread, table, verdict } from './support/figures.mjs';
import { rotated, run } from './support/processes.mjs';

const ROUNDS = Number(process.argv[2] ?? 7);
const VARIANTS = ['off', 'on'];

const idle = { off: [], on: [] };
const busy = { off: [], on: [] };
const held = { none: [], first: [], later: [] };
for (let round = 0; round < ROUNDS; round++) {
  for (const variant of rotated(VARIANTS, round)) {
    idle[variant].push(await run('watchdog/idle.mjs', [variant]));
    busy[variant].push(await run('watchdog/busy.mjs', [variant]));
  }
  held.none.push(...(await run('watchdog/capture.mjs', ['off'])).slice(1));
  const [first, ...later] = await run('watchdog/capture.mjs', ['on']);
  held.first.push(first);
  held.later.push(...later);
}
const pairs = (figures, combine) => figures.on.map((value, round) => combine(value, figures.off[round]));
const added = (figures) => pairs(figures, (on, off) => on - off);
const ratio = (figures) => pairs(figures, (on, off) => on / off);
const of = (name) => ({ off: idle.off.map((one) => one[name]), on: idle.on.map((one) => one[name]) });
const row = (what, figures, compared) => [what, spread(figures.off, 2), spread(figures.on, 2), compared];
const cpu = of('cpuMs');
const memory = of('rssMb');

print(`${ROUNDS} alternating rounds: median (min to max)`);
table(
  ['figure', 'off', 'on', 'difference'],
  [
    row('idle: CPU ms per second', cpu, `+ ${spread(added(cpu), 2)}`),
    row('idle: resident MB', memory, `+ ${spread(added(memory), 1)}`),
    row('busy: CPU us per short task', busy, `x ${spread(ratio(busy), 3)}`),
    row('start(): ms of the main thread', of('startMs'), ''),
  ],
);
print('');
print('Time in ms that a blocking loop of 300 ms loses to captures');
table(
  ['captured', 'lost'],
  [
    ['nothing', spread(held.none, 2)],
    ['the first stack of a process', spread(held.first, 2)],
    ['a later stack', spread(held.later, 2)],
  ],
);
verdict('idle', median(added(cpu)) / 10, 0.5, ' % of a core');
verdict('busy', median(ratio(busy)), 1.01, ' times');
verdict('a later capture', median(held.later) - median(held.none), 5, ' ms');
