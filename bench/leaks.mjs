// The accuracy of leak detection. Usage: node bench/leaks.mjs --data=FOLDER | --programs | --simulate=N [--only=TEXT] [--seconds=N]
// --data is a folder of recorded runs, or contains one named `leaks`. The cost of the detector: node --expose-gc bench/leaks/cost.mjs
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LeakDetector } from '../dist/modules/leaks/leak-detector.js';
import { precisionRecall, replay } from './leaks/replay.mjs';
import { print, table } from './support/figures.mjs';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    programs: { type: 'boolean', default: false },
    simulate: { type: 'string' },
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '60' },
  },
});
if (values.data === undefined && values.simulate === undefined && !values.programs) {
  print(
    'Set --data=FOLDER with recorded runs (JSON: label, limit, postMajorGC of t, delayMs, oldNoNew, ext, ab, rss, inflight, req), --programs, or --simulate=N.',
  );
  process.exitCode = 1;
}
if (values.data !== undefined) {
  const leaks = join(values.data, 'leaks');
  replayAll(existsSync(leaks) ? leaks : values.data);
}
if (values.simulate !== undefined) {
  const { simulate } = await import('./leaks/simulate.mjs');
  const { loadCourses } = await import('./leaks/courses.mjs');
  simulate(LeakDetector, await loadCourses(), Number(values.simulate));
}
if (values.programs) {
  const { runPrograms } = await import('./leaks/run-programs.mjs');
  await runPrograms(values.only, Number(values.seconds));
}

function replayAll(folder) {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json') && name.includes(values.only));
  const runs = names.map((name) => {
    const run = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    return { ...run, ...replay(run, LeakDetector) };
  });
  const when = (at) =>
    at === undefined ? '-' : `${at.t.toFixed(0)} s, ${(100 * at.share).toFixed(0)} %, ${at.memory}`;
  table(
    ['run', 'label', 'at the end', 'first suspected', 'first confirmed'],
    runs.map(({ name, label, leaks, found }) => [
      name,
      label,
      leaks.map(({ memory, state }) => `${memory} ${state}`).join(', ') || 'nothing',
      when(found.suspect),
      when(found.confirmed),
    ]),
  );
  for (const [title, says] of [
    ['any verdict at the end', ({ leaks }) => leaks.length > 0],
    ['a confirmed one at the end', ({ leaks }) => leaks.some(({ state }) => state === 'confirmed')],
    ['any verdict at any time', ({ found }) => found.suspect !== undefined],
    ['a confirmed one at any time', ({ found }) => found.confirmed !== undefined],
  ]) {
    const { precision, recall } = precisionRecall(runs, says);
    print(`${title}: precision ${precision.toFixed(2)}, recall ${recall.toFixed(2)}`);
  }
  print(
    'Published for 40 runs of such programs: five consecutive growths 0.51 / 0.90, Mann-Kendall with Theil-Sen 0.56 / 0.90, rss 0.56 / 1.0, the best rule 0.90 / 0.95.',
  );
}
