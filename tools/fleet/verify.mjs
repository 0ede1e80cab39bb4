// Runs what deploy/ ships: real engines with its files, three instances of the sample application, and assertions.
// Usage: npm run fleet:verify [-- --build-seconds=SECONDS --counts=FILE]
// Writes the numbers of assertions to FILE as JSON. Exits with 1 if one does not hold.

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { versionOf } from './deploy-files.mjs';
import { obtainEngines, UNAVAILABLE } from './engines.mjs';
import { Run } from './processes.mjs';
import { Results } from './results.mjs';
import { runChecks } from './run-checks.mjs';

const { values: options } = parseArgs({
  options: { 'build-seconds': { type: 'string', default: '3600' }, counts: { type: 'string' } },
});
const buildSeconds = Number(options['build-seconds']);
if (!(buildSeconds > 0 && buildSeconds <= 86_400))
  throw new Error(
    `Invalid --build-seconds: received "${options['build-seconds']}", expected a number of seconds up to 86400`,
  );

const results = new Results();
const run = new Run();
const building = new AbortController();
const tooLong = setTimeout(() => building.abort(new Error('too long')), buildSeconds * 1000);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.once(signal, () => {
    building.abort(new Error(signal));
    run.killAll();
    process.exit(1);
  });

try {
  results.heading('Engines');
  const engines = await obtainEngines(
    {
      collector: versionOf('otel-collector'),
      prometheus: versionOf('prometheus'),
      alertmanager: versionOf('alertmanager'),
      // The last one: it is skipped first if time is short.
      jaeger: versionOf('jaeger', 'compose.jaeger.yaml'),
    },
    { signal: building.signal },
  );
  clearTimeout(tooLong);
  for (const [name, { program, origin }] of Object.entries(engines))
    if (program !== undefined) results.write(`  ${name} ${origin}`);
  for (const [name, { program, origin }] of Object.entries(engines))
    if (program === undefined) results.skip(name, origin);
  for (const [name, reason] of Object.entries(UNAVAILABLE)) results.skip(name, reason);
  await runChecks(run, results, engines);
} catch (error) {
  await results.check('the run reaches its end', () => Promise.reject(error));
} finally {
  clearTimeout(tooLong);
  await run.end();
}
results.write(`\n${results.summary()}`);
const { passed, failed, skipped } = results;
if (options.counts !== undefined) writeFileSync(options.counts, JSON.stringify({ passed, failed, skipped }));
process.exitCode = failed > 0 ? 1 : 0;
