// How reliably regressions are detected, and the cost of watching.
// Usage: node bench/regressions.mjs [--only=no-change|week|steps|detection|cost|data] [--operations=N] [--days=N] [--seeds=N] [--seed=N] [--data=FOLDER]
import { parseArgs } from 'node:util';
import { RegressionDetector } from '../dist/modules/baseline/regression-detector.js';
import { RegressionWatch } from '../dist/modules/baseline/regression-watch.js';
import { TrendDetector } from '../dist/modules/baseline/trend-detector.js';
import { WindowModel } from '../dist/modules/baseline/window-model.js';
import { bucketMiddle, bucketOf } from '../dist/modules/inference/latency-histogram.js';
import { measureCost } from './regressions/cost.mjs';
import { measureData } from './regressions/data.mjs';
import { CASES, detectAll } from './regressions/detection.mjs';
import { eventfulWeek } from './regressions/eventful-week.mjs';
import { lastingStep, STEPS } from './regressions/lasting-steps.mjs';
import { simulateNoChange } from './regressions/no-change.mjs';
import { median, print, table, verdict } from './support/figures.mjs';

const library = {
  bucketMiddle,
  bucketOf,
  RegressionDetector,
  RegressionWatch,
  TrendDetector,
  WindowModel,
};
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    operations: { type: 'string', default: '1000' },
    days: { type: 'string', default: '14' },
    seeds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    case: { type: 'string', default: '' },
    data: { type: 'string' },
  },
});
const seed = Number(values.seed);
const SECTIONS = {
  'no-change': noChange,
  week,
  steps,
  detection,
  cost,
  data: () => measureData(library, values.data),
};
if (values.only !== '' && SECTIONS[values.only] === undefined) {
  print(`Invalid --only: received ${values.only}, expected one of ${Object.keys(SECTIONS).join(', ')}.`);
  process.exitCode = 1;
} else
  for (const [name, section] of Object.entries(SECTIONS))
    if (values.only === '' || values.only === name) section();

function noChange() {
  const [operations, days] = [Number(values.operations), Number(values.days)];
  const { reported, windows } = simulateNoChange({ library, operations, days, seed });
  print(`\nA service in which nothing changes: ${operations} operations, ${days} days, ${windows} windows.`);
  if (reported.length > 0)
    table(
      [
        'day',
        'metric',
        'change',
        'before, now',
        'p',
        'after, min',
        'operations per hour',
        'noise lasts, minutes',
        'slow share',
        'tail',
        'sigma',
      ],
      reported.map(({ day, metric, change, before, now, pValue, detectedAt, since, profile }) => [
        day.toFixed(2),
        metric,
        `${(100 * change).toFixed(1)} %`,
        `${before.toPrecision(3)} ${now.toPrecision(3)}`,
        pValue.toExponential(1),
        ((detectedAt - since) / 60_000).toFixed(0),
        profile.perHour.toFixed(0),
        (profile.noiseMs / 60_000).toFixed(0),
        profile.slowShare.toFixed(2),
        profile.tailShare.toFixed(3),
        profile.sigma.toFixed(2),
      ]),
    );
  verdict('false regressions per week', reported.length / (days / 7), 1, '');
}

function week() {
  const operations = Math.min(200, Number(values.operations));
  const reports = eventfulWeek(library, { operations, seed });
  print(`\nA week with deploys and bursts: ${operations} operations.`);
  if (reports.length > 0)
    table(
      ['day', 'near', 'metric', 'against', 'change', 'p'],
      reports.map(({ day, why, metric, against, change, pValue }) => [
        day.toFixed(2),
        why,
        metric,
        against,
        `${(100 * change).toFixed(0)} %`,
        pValue.toExponential(1),
      ]),
    );
  verdict('false regressions per week', reports.length, 2, '');
}

function steps() {
  const each = Math.min(16, Number(values.seeds));
  print(`\nA latency that is 25 % longer for good, ${each} operations each.`);
  const rows = STEPS.map((step) => {
    const found = Array.from({ length: each }, (_, index) => lastingStep(library, 1000 * seed + index, step));
    const delays = found.flatMap(({ delay }) => delay ?? []);
    const sum = (key) => found.reduce((total, one) => total + one[key], 0);
    return [
      `${100 * step.noise} % over ${step.noiseMs / 60_000} min, ${step.perHour} an hour`,
      `${delays.length} of ${each}`,
      delays.length === 0 ? '-' : median(delays).toFixed(0),
      (sum('reports') / each).toFixed(2),
      String(sum('early')),
    ];
  });
  table(['noise', 'within a day', 'median delay, min', 'reports in three days', 'before'], rows);
}

function detection() {
  const seeds = Number(values.seeds);
  print(`\nKnown changes, ${seeds} operations each.`);
  const rows = [];
  for (const one of CASES) {
    if (!one.name.includes(values.case)) continue;
    const found = detectAll({ library, seeds, first: seed, ...one });
    const inTime = found.filter(({ delay }) => delay !== undefined && delay <= one.targetMs / 60_000);
    const reported = found.filter(({ delay }) => delay !== undefined);
    const medianOf = (pick) => (reported.length === 0 ? '-' : median(reported.map(pick)).toFixed(1));
    rows.push([
      one.name,
      `${((100 * inTime.length) / seeds).toFixed(0)} % in ${one.targetMs / 60_000} min`,
      `${((100 * reported.length) / seeds).toFixed(0)} %`,
      medianOf(({ delay }) => delay),
      medianOf(({ off }) => off),
      reported.length === 0
        ? '-'
        : `${(100 * median(reported.map(({ regression }) => regression.change))).toFixed(0)} %`,
      String(found.filter(({ early }) => early).length),
    ]);
  }
  table(
    [
      'change',
      'reported in time',
      'within 4 times that',
      'median delay, min',
      'error of start, windows',
      'reported size',
      'reported too early',
    ],
    rows,
  );
}

function cost() {
  measureCost(library);
}
