// How often profiles name the guilty function. Usage: node bench/profiles.mjs [--reps N] [--sampler inspector|datadog] [--only TEXT] [--load]

import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { print, table } from './support/figures.mjs';

const { values } = parseArgs({
  options: {
    reps: { type: 'string', default: '10' },
    sampler: { type: 'string', default: 'inspector' },
    only: { type: 'string', default: '' },
    verbose: { type: 'boolean', default: false },
  },
});
const require = createRequire(import.meta.url);
const built = (name) => require(`../test/profiling/app/dist/test/profiling/suite/${name}.js`);
const { GUILTY_CASES } = built('cases');
const { judge, observe } = built('observe');
const { startGuiltyApp } = built('processes');

const cases = GUILTY_CASES.filter(({ name }) => name.includes(values.only));
const reps = Number(values.reps);
const app = await startGuiltyApp({ SAMPLER: values.sampler });
const counts = new Map(cases.map((one) => [one, { first: 0, line: 0, neighbour: 0, files: 0 }]));
try {
  for (const one of cases) await observe(app.url, app.directory, one);
  for (let rep = 0; rep < reps; rep++)
    for (const one of cases) {
      const seen = await observe(app.url, app.directory, one);
      const verdict = judge(one, seen);
      const count = counts.get(one);
      for (const key of ['first', 'line', 'neighbour']) if (verdict[key]) count[key]++;
      if (seen.inFile.length > 0) count.files++;
      if (values.verbose || !verdict.first || !verdict.line || verdict.neighbour)
        print(
          `${one.name}: ${JSON.stringify(verdict)} ${JSON.stringify(seen.slow?.topFunctions?.slice(0, 3))} ${seen.slow?.explanation}`,
        );
    }
} finally {
  await app.stop();
}
table(
  ['case', 'guilty function first', 'right line', 'wrong function', 'files'],
  cases.map((one) => {
    const { first, line, neighbour, files } = counts.get(one);
    return [one.name, `${first} of ${reps}`, `${line} of ${reps}`, String(neighbour), String(files)];
  }),
);
const total = cases.length * reps;
for (const [key, title] of [
  ['first', 'guilty function first'],
  ['line', 'right line'],
  ['neighbour', 'wrong function'],
]) {
  const sum = [...counts.values()].reduce((all, count) => all + count[key], 0);
  print(`${title}: ${sum} of ${total} (${((100 * sum) / total).toFixed(1)} %)`);
}
