// Hourly latencies labelled by experts, replayed as the windows of an operation with 360 requests an hour.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from './random.mjs';

const HOUR = 3_600_000;
const WINDOWS = 6;
const REQUESTS = 60;
const SIGMA = 0.4;
const WARM_UP = 72;
const JOINED = 3;
const [BEFORE, AFTER] = [1, 2];
/**
 * An episode is a rise if its peak is this much above the median of the three days before, unless traffic was missing:
 * experts have labelled the hole itself.
 */
const RISE = 1.3;

/** @returns `{ name, times, values, labels }` of each series */
export function hourlySeries(folder) {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.csv'))
    .map((name) => {
      const rows = readFileSync(join(folder, name), 'utf8').trim().split('\n').slice(1);
      const cells = rows.map((row) => row.replaceAll('"', '').split(','));
      return {
        name,
        times: cells.map(([time]) => Date.parse(time)),
        values: cells.map(([, value]) => Number(value)),
        labels: cells.map(([, , label]) => Number(label) === 1),
      };
    });
}

/** The hours in which a regression of the latency was open, 0 to the number of hours. An hour of 0 had no traffic. */
export function openHours({ times, values }, { RegressionDetector, RegressionWatch, WindowModel }) {
  const random = new Random(1);
  const began = times[0];
  const watched = {
    type: 'external',
    name: 'dependency',
    model: new WindowModel(),
    detector: new RegressionDetector(began - HOUR),
  };
  const watch = new RegressionWatch();
  const flags = values.map(() => false);
  const reports = [];
  const mark = (since, until) => {
    for (let hour = Math.floor((since - began) / HOUR); hour * HOUR + began < until; hour++)
      if (hour >= 0 && hour < flags.length) flags[hour] = true;
  };
  values.forEach((value, hour) => {
    for (let part = 0; value > 0 && part < WINDOWS; part++) {
      const from = times[hour] + (part * HOUR) / WINDOWS;
      const window = windowAround(value, from, from + HOUR / WINDOWS, random);
      watch.observe(watched, window);
      const { opened, ended, newNormal } = watch.settle(window.endedAt);
      for (const one of opened)
        reports.push({ hour, since: one.since, change: one.change, metric: one.metric });
      if (newNormal.length > 0) watched.model = new WindowModel();
      for (const { metric, since, overAt } of ended)
        if (/latency/.test(metric)) mark(since, Math.min(overAt, window.startedAt));
    }
    if (hour % 24 === 23) watched.model.decay(2 ** (-1 / 7));
  });
  for (const { metric, since } of watch.open) if (/latency/.test(metric)) mark(since, times.at(-1));
  return { flags, reports };
}

/** Hits and misses by episodes: gaps up to 3 hours are joined, from 1 hour before to 2 hours after counts. */
export function score({ values, labels }, flags) {
  const labelled = episodes(labels).filter(([, end]) => end >= WARM_UP);
  const real = labelled.filter(([from, to]) => isRise(values, from, to));
  const reported = episodes(flags.map((flag, index) => flag && index >= WARM_UP));
  const fits = ([from, to], [start, end]) => from <= end + AFTER && to >= start - BEFORE;
  const found = real.filter((episode) => reported.some((one) => fits(one, episode)));
  const wrong = reported.filter((one) => !labelled.some((episode) => fits(one, episode)));
  return {
    real: real.length,
    found: found.length,
    reported: reported.length,
    // A report of a labelled episode that is no rise is neither right nor false.
    right: reported.filter((one) => real.some((episode) => fits(one, episode))).length,
    wrong: wrong.length,
    missed: real.filter((episode) => !found.includes(episode)),
    falseOnes: wrong,
    weeks: (flags.length - WARM_UP) / 168,
  };
}

function isRise(values, from, to) {
  const before = values.slice(Math.max(0, from - 72), from).filter((value) => value > 0);
  const empty = values.slice(from, to + 1).filter((value) => !(value > 0)).length;
  if (before.length > 36 && empty >= (to - from) / 3) return false;
  const median = before.sort((a, b) => a - b)[before.length >> 1];
  return Math.max(...values.slice(from, to + 1)) >= RISE * median;
}

function episodes(flags) {
  const found = [];
  flags.forEach((flag, index) => {
    if (!flag) return;
    const last = found.at(-1);
    if (last !== undefined && index - last[1] <= JOINED) last[1] = index;
    else found.push([index, index]);
  });
  return found;
}

/** Requests whose latencies are log-normal around a mean. */
function windowAround(meanMs, startedAt, endedAt, random) {
  const values = Array.from(
    { length: REQUESTS },
    () => meanMs * Math.exp(SIGMA * random.normal() - SIGMA ** 2 / 2),
  ).sort((a, b) => a - b);
  const rank = (p) => values[Math.ceil(p * REQUESTS) - 1];
  const mean = (numbers) => numbers.reduce((sum, value) => sum + value, 0) / REQUESTS;
  return {
    startedAt,
    endedAt,
    count: REQUESTS,
    errors: 0,
    meanMs: mean(values),
    meanLog: mean(values.map(Math.log)),
    p50Ms: rank(0.5),
    p90Ms: rank(0.9),
    p99Ms: rank(0.99),
    overP99: Number.NaN,
    queries: Number.NaN,
  };
}
