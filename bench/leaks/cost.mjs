// The cost of the leak detector: time per reading, the longest pause, and memory after days. Usage: node --expose-gc bench/leaks/cost.mjs [DAYS]
import { LeakDetector } from '../../dist/modules/leaks/leak-detector.js';
import { median, print, verdict } from '../support/figures.mjs';

const SECONDS = Number(process.argv[2] ?? 7) * 86_400;
const MB = 2 ** 20;
// The busiest operations, created for each call as statistics do.
const operationsAt = (second) =>
  Array.from({ length: 32 }, (_, index) => ({
    type: 'http',
    name: `GET /${index}`,
    count: second * (index + 1),
  }));

let state = 1;
const chance = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const cost = { add: 0, longestAdd: 0, verdicts: 0, longestVerdicts: 0, judged: 0, many: [] };

/** CPU time: wall-clock time would include other processes. */
function timed(work) {
  const begun = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1000;
}

/** The most expensive case: constant slow growth, which every level detects. */
function live(seconds) {
  let second = 0;
  const detector = new LeakDetector({
    heapLimitBytes: 4096 * MB,
    operations: () => operationsAt(second),
  });
  for (; second < seconds; second++) {
    const heapUsed = 200 * MB + second * 1200 + 5 * MB * chance();
    const external = 20 * MB + second * 300 + MB * chance();
    const reading = {
      at: 1.7e12 + second * 1000,
      heapUsed,
      heapResident: heapUsed + 20 * MB,
      external,
      arrayBuffers: external,
      rss: heapUsed + external + 80 * MB + second * 100,
      inFlight: Math.round(40 * chance()),
      requests: second * 100,
      late: 0.4,
    };
    const took = timed(() => detector.add(reading));
    cost.add += took;
    // A block of 13 levels or more has ended, and all of them are judged.
    if ((second + 1) % 4096 === 0) cost.many.push(took);
    cost.longestAdd = Math.max(cost.longestAdd, took);
    if (second % 10 > 0) continue;
    const telling = timed(() => detector.verdicts());
    cost.verdicts += telling;
    cost.longestVerdicts = Math.max(cost.longestVerdicts, telling);
    cost.judged++;
  }
  return detector;
}

// Resets the figures after the warm-up.
live(20_000);
Object.assign(cost, { add: 0, longestAdd: 0, verdicts: 0, longestVerdicts: 0, judged: 0, many: [] });
const before = held();
const detector = live(SECONDS);
const kilobytes = (held() - before) / 1024;
const states = detector.verdicts().map(({ memory, state: said }) => `${memory} ${said}`);
print(`${SECONDS} readings, one per second, 32 operations, all three memories growing; CPU time`);
print(
  `add: ${((1000 * cost.add) / SECONDS).toFixed(0)} us in the mean, longest ${cost.longestAdd.toFixed(2)} ms`,
);
print(
  `verdicts: ${((1000 * cost.verdicts) / cost.judged).toFixed(0)} us in the mean, longest ${cost.longestVerdicts.toFixed(2)} ms; at the end ${states.join(', ')}`,
);
print('The longest times include the garbage collector and the compiler, on other threads, too.');
verdict('a reading at which 13 levels or more are judged, median', median(cost.many), 5, ' ms');
verdict('held by the detector', kilobytes, 512, ' KB');

function held() {
  for (let round = 0; round < 3; round++) globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
