// The cost and the accuracy of alerts. Usage: node bench/alerts.mjs [--rounds=N] [--months=N]
import { parseArgs } from 'node:util';
import { pages, simulate } from './alerts/simulated-service.mjs';
import { median, print, spread, table, verdict } from './support/figures.mjs';
import { rotated, run } from './support/processes.mjs';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, months: { type: 'string', default: '20' } },
});
const ROUNDS = Number(values.rounds);
const MONTHS = Number(values.months);
const MONTH_MINUTES = 43_200;
const DAY_MINUTES = 1440;
/** Fixed seeds: every run has the same result. */
const SEEDS = 20;
const seeds = (count) => Array.from({ length: count }, (_, index) => index + 1);

async function counting() {
  const variants = {
    none: 'without a look-up of objectives',
    without: 'operations without an objective, of 50',
    with: 'operations with an objective each, 1,000',
  };
  const names = Object.keys(variants);
  const ns = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of rotated(names, round)) ns[name].push(await run('alerts/record.mjs', [name]));
  }
  print(`CPU ns per operation to count it for objectives, ${ROUNDS} rounds: median (min to max)`);
  table(
    ['variant', 'ns', 'added'],
    names.map((name) => [
      variants[name],
      spread(ns[name], 1),
      (median(ns[name]) - median(ns.none)).toFixed(1),
    ]),
  );
}

async function ticks() {
  print(
    `\nOne evaluation of 50 rules and 10 objectives over 1,000 operations, in ms. The minimum of ${ROUNDS} equal rounds excludes the time of other processes.`,
  );
  const rows = [];
  let worst = { total: 0, longest: 0 };
  for (const [name, what] of [
    ['quiet', 'nothing fires'],
    ['storm', 'all alerts fire at once: 1,000 episodes'],
  ]) {
    const rounds = [];
    for (let round = 0; round < ROUNDS; round++)
      rounds.push(await run('alerts/tick.mjs', [name], ['--expose-gc']));
    const least = (figure) =>
      rounds[0].map((_, tick) => Math.min(...rounds.map((ticks) => ticks[tick][figure])));
    const [totals, turns] = [least('total'), least('longest')];
    worst = { total: Math.max(worst.total, ...totals), longest: Math.max(worst.longest, ...turns) };
    rows.push([
      what,
      totals[0].toFixed(2),
      spread(totals.slice(1), 2),
      turns[0].toFixed(2),
      spread(turns.slice(1), 2),
      Math.max(...rounds.flat().map(({ longest }) => longest)).toFixed(2),
    ]);
  }
  table(['variant', 'first', 'later', 'longest turn of the first', 'of later ones', 'of all rounds'], rows);
  verdict('an evaluation, including the first', worst.total, 20, ' ms');
  verdict('a turn of the event loop', worst.longest, 5, ' ms');
}

function falsePages() {
  print(`\nAlerts of ${MONTHS} simulated months on an objective of 99.9 %, with a constant error rate.`);
  const rows = [];
  let wrong = 0;
  for (const perHour of [60, 600]) {
    for (const bad of [0.0001, 0.0005, 0.001, 0.002]) {
      const alerts = seeds(MONTHS).flatMap((seed) =>
        simulate({ seed, perHour, minutes: MONTH_MINUTES, badAt: () => bad }),
      );
      const fired = alerts.filter(({ state }) => state === 'firing').length;
      const paged = pages(alerts).length;
      if (bad <= 0.001) wrong += paged;
      rows.push([
        `${perHour}`,
        `${(bad * 100).toFixed(2)} %`,
        `${bad * 1000}`,
        `${paged}`,
        `${fired - paged}`,
      ]);
    }
  }
  table(['requests per hour', 'errors', 'burn rate', 'pages', 'warnings'], rows);
  verdict('false pages, at a burn rate of up to 1', wrong, 0, '');
}

function delays() {
  print(
    `\nA day of 99.99 %, an outage of a day, and two days of 99.99 %, with ${SEEDS} seeds: minutes, median (min to max)`,
  );
  const rows = [];
  for (const [perHour, bad] of [
    [60, 1],
    [60, 0.1],
    [1000, 1],
    [1000, 0.1],
    [1000, 0.02],
    [1000, 0.01],
  ]) {
    const first = [];
    const over = [];
    const count = [];
    for (const seed of seeds(SEEDS)) {
      const begin = DAY_MINUTES;
      const end = begin + DAY_MINUTES;
      const alerts = simulate({
        seed,
        perHour,
        minutes: end + 2 * DAY_MINUTES,
        badAt: (minute) => (minute >= begin && minute < end ? bad : 0.0001),
      });
      const paged = pages(alerts);
      first.push(paged.length === 0 ? Infinity : paged[0].minute - begin + 1);
      count.push(paged.length);
      const resolved = alerts.filter(
        ({ state, severity }) => state === 'resolved' && severity === 'critical',
      );
      over.push((resolved.at(-1)?.minute ?? Infinity) - end);
    }
    rows.push([`${perHour}`, `${bad * 100} %`, spread(first, 0), spread(count, 0), spread(over, 0)]);
  }
  table(['requests per hour', 'errors', 'until the first page', 'pages', 'resolved after its end'], rows);
}

await counting();
await ticks();
falsePages();
delays();
