// The verdict of releases in a simulated week: how many worse ones are found within an hour, and how many are false.
// Usage: node bench/release.mjs [--weeks=N] [--seed=N] [--per-hour=N] [--effects=held-back|development] [--calm] [--verbose]
import { parseArgs } from 'node:util';
import { runToCompletion } from '../dist/modules/async/cooperative.js';
import { LatencySketch } from '../dist/modules/baseline/latency-sketch.js';
import { OperationPeriods } from '../dist/modules/baseline/operation-periods.js';
import { RegressionDetector } from '../dist/modules/baseline/regression-detector.js';
import { RegressionWatch } from '../dist/modules/baseline/regression-watch.js';
import { judgingVersion } from '../dist/modules/baseline/release.js';
import { WindowModel } from '../dist/modules/baseline/window-model.js';
import { bucketMiddle, bucketOf } from '../dist/modules/inference/latency-histogram.js';
import { DEVELOPMENT, HELD_BACK } from './release/effects.mjs';
import { simulateWeek } from './release/simulated-week.mjs';
import { print, table } from './support/figures.mjs';

const library = {
  bucketMiddle,
  bucketOf,
  judgingVersion,
  LatencySketch,
  OperationPeriods,
  RegressionDetector,
  RegressionWatch,
  runToCompletion,
  WindowModel,
};
const { values } = parseArgs({
  options: {
    weeks: { type: 'string', default: '5' },
    seed: { type: 'string' },
    'per-hour': { type: 'string', default: '500' },
    effects: { type: 'string', default: 'held-back' },
    calm: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});
const isDevelopment = values.effects === 'development';
const effects = isDevelopment ? DEVELOPMENT : HELD_BACK;
const byEffect = new Map();
const totals = { worse: 0, found: 0, false: 0, verdicts: {} };
for (let week = 0; week < Number(values.weeks); week++) {
  const releases = simulateWeek(library, {
    seed: Number(values.seed ?? (isDevelopment ? 1 : 1001)) + week,
    perHour: Number(values['per-hour']),
    effects,
    events: !values.calm,
  });
  let [found, wrong] = [0, 0];
  for (const { effect, affected, isFix, looks } of releases) {
    const name = (at) => `GET /${at}`;
    const hit = looks.find(({ changed }) =>
      changed.some(
        (one) => one.verdict === 'worse' && effect && [...affected].some((at) => name(at) === one.name),
      ),
    );
    const falseOnes = looks.flatMap(({ minutes, changed }) =>
      changed
        .filter((one) =>
          one.verdict === 'worse' ? !effect || ![...affected].some((at) => name(at) === one.name) : !isFix,
        )
        .map((one) => ({ minutes, one })),
    );
    const last = looks.at(-1)?.verdict ?? 'none';
    totals.verdicts[last] = (totals.verdicts[last] ?? 0) + 1;
    if (effect !== undefined) {
      const row = byEffect.get(effect) ?? { all: 0, found: 0, minutes: [] };
      byEffect.set(effect, row);
      row.all++;
      if (hit !== undefined) {
        row.found++;
        row.minutes.push(hit.minutes);
        found++;
      }
    }
    if (falseOnes.length > 0) {
      wrong++;
      if (values.verbose)
        for (const { minutes, one } of falseOnes.slice(0, 3))
          print(
            `  week ${week} after ${minutes} min: ${one.name} ${one.verdict} ${one.measures
              .filter(({ verdict }) => verdict === one.verdict)
              .map(
                ({ measure, percent, difference, pValue }) =>
                  `${measure} ${percent?.toFixed(0)} % ${difference.toPrecision(3)} p ${pValue.toExponential(1)}`,
              )
              .join(', ')}${effect ? ` (effect ${effect})` : ''}${isFix ? ' (fix)' : ''}`,
          );
    }
  }
  totals.worse += 6;
  totals.found += found;
  totals.false += wrong;
  print(`week ${week}: found ${found} of 6, false ${wrong} of 20`);
}
table(
  ['effect', 'found', 'minutes'],
  [...byEffect].map(([name, { all, found, minutes }]) => [
    name,
    `${found} of ${all}`,
    minutes.sort((a, b) => a - b).join(' '),
  ]),
);
print(
  `found ${totals.found} of ${totals.worse}, releases with a false verdict ${totals.false}; ${JSON.stringify(totals.verdicts)}`,
);
