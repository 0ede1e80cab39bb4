// The time to load the package and to start its module. Usage: node bench/startup.mjs [ROUNDS]
import { median, print, spread, table, verdict } from './support/figures.mjs';
import { rotated, run } from './support/processes.mjs';

const ROUNDS = Number(process.argv[2] ?? 11);
const CASES = [
  { what: 'load, as an ECMAScript module', script: 'startup/load.mjs' },
  { what: 'load, as CommonJS', script: 'startup/load.cjs' },
  { what: 'create and listen', script: 'startup/listen.mjs' },
];

const rows = [];
const loading = [];
for (const { what, script } of CASES) {
  const wall = { without: [], with: [] };
  const cpu = { without: [], with: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const which of rotated(['without', 'with'], round)) {
      const result = await run(script, [which]);
      wall[which].push(result.wallMs);
      cpu[which].push(result.cpuMs);
    }
  }
  const added = (figures) => figures.with.map((value, round) => value - figures.without[round]);
  rows.push([what, spread(wall.without), spread(wall.with), spread(added(wall)), spread(added(cpu))]);
  if (script.includes('load')) loading.push(median(added(wall)));
}
print(`Milliseconds in fresh processes, ${ROUNDS} rounds: median (min to max)`);
table(['phase', 'without', 'with the package', 'added', 'added, CPU'], rows);
verdict('loading the package adds', Math.max(...loading), 60, ' ms');
