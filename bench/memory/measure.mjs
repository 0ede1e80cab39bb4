// Records the traffic of STATE (`minute` or `day`) for KEYS operations and sends the bytes that each of them holds.
import { Statistics } from '../../dist/modules/statistics/statistics.js';

const [state, keys, seed] = process.argv.slice(2).map((value) => Number(value) || value);
const SLOT = 10_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;

/** Mulberry32: the same traffic each time. */
let random = seed;
function uniform() {
  random = (random + 0x6d2b79f5) | 0;
  let t = Math.imul(random ^ (random >>> 15), 1 | random);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
}

/** Standard normal, by Box and Muller; drawn once, since a sum of a day's latencies needs tens of millions. */
const NORMAL = Float64Array.from({ length: 1 << 16 }, () => {
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
});
const normal = () => NORMAL[(uniform() * NORMAL.length) | 0];

/** Medians from 2 to 200 ms, each with a long tail: the 99th percentile is four times the median. */
const operations = Array.from({ length: keys }, (_, index) => ({
  name: `GET /api/resource-${index}/:id`,
  type: ['http', 'database', 'cache', 'external'][index % 4],
  median: 2 * 100 ** uniform(),
}));
const SIGMA = 0.6;

function latency(operation) {
  return operation.median * Math.exp(SIGMA * normal());
}

/**
 * The moments at which traffic is recorded and how much of it, one operation a second for each key. A day is too
 * long to live through slot by slot: what has long been merged is recorded every five minutes at once, which gives
 * the same segments, and the last hour in slots of ten seconds.
 */
function* traffic() {
  const end = state === 'day' ? 24 * HOUR : MINUTE;
  const fine = Math.max(0, end - HOUR);
  for (let at = 0; at < fine; at += 5 * MINUTE) yield { at, count: 300 };
  for (let at = fine; at < end; at += SLOT) yield { at, count: 10 };
}

const held = () => {
  global.gc();
  global.gc();
  const { heapUsed, external } = process.memoryUsage();
  // `external` has the array buffers in it already.
  return heapUsed + external;
};

function record(statistics) {
  for (const { at, count } of traffic()) {
    for (const operation of operations) {
      for (let i = 0; i < count; i++) {
        const ms = latency(operation);
        statistics.record(operation.type, operation.name, ms, ms > 1000, i % 100 === 0, at);
      }
    }
  }
}

// Once for the compiler and the buffers that all share, so that only what the keys hold is measured.
record(new Statistics(keys));
const before = held();
const statistics = new Statistics(keys);
record(statistics);
const after = held();
const { count } = statistics.totals();
if (count === 0) throw new Error('nothing was recorded');
process.send((after - before) / keys);
