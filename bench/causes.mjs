// How often the package finds the causes that are built into an application: test/causes/suite.
// Usage: node bench/causes.mjs [--reps=20] [--only=TEXT] [--lane=NAME]; without --lane in all four of them: quiet, with two busy
// neighbours for each core, with profiling, with both.
import { availableParallelism } from 'node:os';
import { CASES } from '../test/causes/app/dist/test/causes/suite/cases.js';
import { judge } from '../test/causes/app/dist/test/causes/suite/judge.js';
import { observe } from '../test/causes/app/dist/test/causes/suite/observe.js';
import { startApp, startBurner, startParts } from '../test/causes/app/dist/test/causes/suite/processes.js';
import { median, print, table } from './support/figures.mjs';

const SEED = 20260101;
const option = (name) => process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
const REPS = Number(option('reps') ?? 20);
const only = option('only') ?? '';
const LANES = [
  { name: 'quiet', neighbours: 0, profiling: false },
  { name: 'neighbours', neighbours: 2, profiling: false },
  { name: 'profiling', neighbours: 0, profiling: true },
  { name: 'both', neighbours: 2, profiling: true },
];
const lanes = LANES.filter(({ name }) => name === (option('lane') ?? name));
const cases = CASES.filter(({ name }) => name.includes(only));
const random = mulberry32(SEED);

/** Reproducible random numbers. */
function mulberry32(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffled(items) {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other], result[last]];
  }
  return result;
}

const percent = (part, whole) =>
  whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} % (${part} of ${whole})`;
const count = (items, of) => items.filter(of).length;

/** Runs all repetitions of all cases in random order. The first round warms up and does not count. */
async function run({ neighbours, profiling }) {
  const runs = [];
  const profiles = profiling ? {} : { OTEL_ENABLE_PROFILING: 'false', OTEL_PROFILE_SLOW: 'false' };
  const parts = await startParts();
  const env = { ...parts.env, ...profiles };
  const burners = Array.from({ length: neighbours * availableParallelism() }, startBurner);
  let app;
  try {
    app = await startApp(env);
    for (let rep = 0; rep <= REPS; rep++) {
      for (const one of shuffled(cases)) {
        const observation = await observe(app.url, env, one);
        if (rep > 0) runs.push({ one, observation, verdict: judge(one, observation) });
      }
      if (process.stderr.isTTY) process.stderr.write(`\r${rep} of ${REPS}`);
    }
  } finally {
    await app?.stop();
    for (const burner of burners) await burner.stop();
    await parts.stop();
  }
  return runs;
}

/** The cases of these runs, in their order in the source. */
const of = (runs) => cases.filter((one) => runs.some((run) => run.one === one));

/** Rows are the built-in causes, columns the first reported ones. */
function printConfusion(runs) {
  const causes = [...new Set(of(runs).map(({ cause }) => cause))];
  const said = [...new Set([...causes, ...runs.map(({ verdict }) => verdict.said)])];
  table(
    ['built in \\ reported', ...said, 'right'],
    causes.map((cause) => {
      const mine = runs.filter(({ one }) => one.cause === cause);
      const cells = said.map((name) => String(count(mine, ({ verdict }) => verdict.said === name) || ''));
      return [
        cause,
        ...cells,
        percent(
          count(mine, ({ verdict }) => verdict.cause),
          mine.length,
        ),
      ];
    }),
  );
}

function printCases(runs) {
  const right = (mine, field) => {
    const asked = mine.filter(({ verdict }) => verdict[field] !== undefined);
    if (asked.length === 0) return '';
    return `${count(asked, ({ verdict }) => verdict[field] === true || verdict[field] === 'right')}/${asked.length}`;
  };
  table(
    ['case', 'cause', 'ms', 'first cause', 'call site', 'finding', 'explanation'],
    of(runs).map((one) => {
      const mine = runs.filter((run) => run.one === one);
      const ms = median(mine.map(({ observation }) => observation.clientMs)).toFixed(0);
      const fields = ['cause', 'site', 'finding', 'explanation'].map((field) => right(mine, field));
      return [one.name, one.cause, ms, ...fields];
    }),
  );
}

function printControls(runs) {
  table(
    ['control', 'ms', 'runs with findings', 'findings', 'slow', 'first cause'],
    of(runs).map((one) => {
      const mine = runs.filter((run) => run.one === one);
      const found = [...new Set(mine.flatMap(({ verdict }) => verdict.falseFindings))];
      const said = mine.map(({ verdict }) => verdict.said).filter((name) => name !== 'not slow');
      return [
        one.name,
        median(mine.map(({ observation }) => observation.clientMs)).toFixed(0),
        `${count(mine, ({ verdict }) => verdict.falseFindings.length > 0)}/${mine.length}`,
        found.join(', '),
        `${said.length}/${mine.length}`,
        one.cause === undefined
          ? [...new Set(said)].join(', ')
          : `${one.cause} ${count(mine, ({ verdict }) => verdict.cause)}/${mine.length}`,
      ];
    }),
  );
}

/** Every kind of miss with its count and its last explanation. */
function printMisses(runs) {
  const misses = new Map();
  const note = (run, text) => {
    const key = `${run.one.name}: ${text}`;
    misses.set(key, { times: (misses.get(key)?.times ?? 0) + 1, run });
  };
  for (const run of runs) {
    const { one, verdict, observation } = run;
    const { file, line, function: name } = observation.slow?.callSite ?? {};
    if (verdict.cause === false) note(run, `reported ${verdict.said} for ${one.cause}`);
    if (verdict.site !== undefined && verdict.site !== 'right')
      note(run, `call site ${verdict.site}${file === undefined ? '' : `: ${name} (${file}:${line})`}`);
    if (verdict.finding === false) note(run, `no finding ${one.finding}`);
    if (verdict.explanation === false) note(run, `the explanation does not contain ${one.says}`);
    for (const found of verdict.falseFindings) note(run, `found ${found}`);
    for (const fault of verdict.faults) note(run, fault.replace(/\d+\.\d+/g, 'N'));
  }
  print(`\nMisses: ${misses.size === 0 ? 'none' : ''}`);
  for (const [what, { times, run }] of misses) {
    const { slow, findings } = run.observation;
    const shares = (slow?.causes ?? []).map(({ cause, share }) => `${cause} ${share}`).join(', ');
    print(
      `- ${times} x ${what}\n    ${Math.round(slow?.durationMs ?? run.observation.clientMs)} ms; ${shares}`,
    );
    const texts = run.verdict.falseFindings.length > 0 ? findings.map((one) => one.explanation) : [];
    for (const text of [slow?.explanation, ...texts]) if (text !== undefined) print(`    ${text}`);
  }
}

function printLane(lane, runs) {
  const pathologies = runs.filter(({ one }) => one.kind === 'pathology');
  const controls = runs.filter(({ one }) => one.kind === 'control');
  const sites = pathologies.filter(({ verdict }) => verdict.site !== undefined);
  const marked = sites.filter(({ one }) => ['n_plus_one', 'cpu', 'gc'].includes(one.cause));
  const share = (items, of) => percent(count(items, of), items.length);
  print(`## ${lane}: ${cases.length} cases, ${REPS} times each; Node ${process.version}\n`);
  printConfusion(pathologies);
  print('');
  printCases(pathologies);
  print('');
  printControls(controls);
  print(`
  Right first causes: ${share(pathologies, ({ verdict }) => verdict.cause)}
  Call sites with the right line: ${share(sites, ({ verdict }) => verdict.site === 'right')}
    with the right function: ${share(sites, ({ verdict }) => ['right', 'function only'].includes(verdict.site))}
    of N+1, CPU and GC, with the right line: ${share(marked, ({ verdict }) => verdict.site === 'right')}
  Expected findings: ${share(
    pathologies.filter(({ verdict }) => verdict.finding !== undefined),
    ({ verdict }) => verdict.finding,
  )}
  Explanations that name the other operation: ${share(
    pathologies.filter(({ verdict }) => verdict.explanation !== undefined),
    ({ verdict }) => verdict.explanation,
  )}
  Controls with a finding: ${share(controls, ({ verdict }) => verdict.falseFindings.length > 0)}
  Controls with the right cause: ${share(
    controls.filter(({ verdict }) => verdict.cause !== undefined),
    ({ verdict }) => verdict.cause,
  )}`);
  printMisses(runs);
}

for (const lane of lanes) printLane(lane.name, await run(lane));
