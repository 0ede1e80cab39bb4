// Series with one value an hour and no counts, tested value by value with the package's model.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const HOUR = 3_600_000;
const WARM_UP = 72;
const JOINED = 3;
const [BEFORE, AFTER] = [1, 2];
/** A value is unusual beyond this many deviations, and this relative difference from its expectation. */
const DEVIATIONS = 5;
const MIN_EFFECT = 0.5;
/** An hour without a value is unusual if it is this rare. */
const RARE = 0.02;
/** The time constants of the level and the scatter. */
const LEVEL_HOURS = 24;
const SCATTER_HOURS = 48;
const CUT = 4;

/** @returns `{ name, values, labels }` of each series */
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

/**
 * Which values are unusual. Each hour is a window with only a mean; `WindowModel` learns the daily season, and the residuals
 * have a level that follows within a day and a scatter that follows within days. Outliers are capped before they are
 * learned. 0 is an hour without traffic.
 */
export function unusual({ times, values }, WindowModel) {
  const model = new WindowModel();
  let [level, scatter, seen] = [0, 0.3, 0];
  let empty = 0;
  return values.map((value, index) => {
    if (!(value > 0)) return empty++ < RARE * index;
    const at = times[index];
    const expected = seen === 0 ? Math.log(value) : model.expectation('mean_log', at + HOUR / 2);
    const rest = Math.log(value) - expected;
    const deviation = (rest - level) / Math.max(0.03, 1.25 * scatter);
    const cut = level + Math.max(-CUT, Math.min(CUT, deviation)) * Math.max(0.03, 1.25 * scatter);
    const share = 1 / Math.min(++seen, SCATTER_HOURS);
    scatter += share * (Math.abs(cut - level) - scatter);
    level += (1 / Math.min(seen, LEVEL_HOURS)) * (cut - level);
    model.add(hour(at, Math.exp(expected + cut)));
    if (index % 24 === 23) model.decay(2 ** (-1 / 7));
    return Math.abs(deviation) > DEVIATIONS && Math.abs(rest - level) > Math.log1p(MIN_EFFECT);
  });
}

/** Hits and misses by episodes: gaps up to 3 hours are joined, from 1 hour before to 2 hours after counts. */
export function score(series, flags) {
  const real = episodes(series.labels).filter(([, end]) => end >= WARM_UP);
  const reported = episodes(flags.map((flag, index) => flag && index >= WARM_UP));
  const fits = ([from, to], [start, end]) => from <= end + AFTER && to >= start - BEFORE;
  const found = real.filter((episode) => reported.some((one) => fits(one, episode)));
  const delays = found.map((episode) =>
    Math.max(0, reported.find((one) => fits(one, episode))[0] - episode[0]),
  );
  return {
    real: real.length,
    found: found.length,
    reported: reported.length,
    right: reported.filter((one) => real.some((episode) => fits(one, episode))).length,
    delays,
    weeks: (flags.length - WARM_UP) / 168,
  };
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

function hour(startedAt, ms) {
  const meanLog = Math.log(ms);
  const all = { meanMs: ms, p50Ms: ms, p90Ms: ms, p99Ms: ms };
  const count = 1000;
  return {
    startedAt,
    endedAt: startedAt + HOUR,
    count,
    errors: 0,
    meanLog,
    ...all,
    overP99: Number.NaN,
    queries: Number.NaN,
  };
}
