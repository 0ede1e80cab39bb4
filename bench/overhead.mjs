// What this package says that it costs, beside what it truly adds to the CPU time of a request: the same application without
// and with it, under the same load in turns. Usage: node bench/overhead.mjs [LAUNCHES]
import autocannon from 'autocannon';
import { median, print, spread, table } from './support/figures.mjs';
import { answer, rotated, start, stop } from './support/processes.mjs';

const LAUNCHES = Number(process.argv[2] ?? 3);
const ROUNDS = 24;
const REQUESTS = 1000;
const WARM_UP = 10_000;
const CONNECTIONS = 16;
const TOLERANCE = 0.3;
/** Without the package; with an AsyncLocalStorage as the only addition; with the package. */
const VARIANTS = ['bare', 'context', 'ours'];

async function load(url, amount) {
  const { errors, non2xx } = await autocannon({ url, amount, connections: CONNECTIONS });
  if (errors + non2xx > 0) throw new Error(`${errors} errors and ${non2xx} bad responses from ${url}`);
}

function ask(child) {
  child.send('');
  return answer(child);
}

async function measure({ child, url }) {
  const before = await ask(child);
  await load(url, REQUESTS);
  const after = await ask(child);
  const difference = (key) => (after[key] - before[key]) / REQUESTS;
  const parts = Object.keys(after.parts).map((part) => [
    part,
    ((after.parts[part] - (before.parts[part] ?? 0)) * 1000) / REQUESTS,
  ]);
  return { cpuUs: difference('cpuUs'), resources: difference('resources'), parts: new Map(parts) };
}

async function launch() {
  const servers = {};
  try {
    for (const name of VARIANTS) {
      const child = start('overhead/server.mjs', [name]);
      servers[name] = { child, url: await answer(child) };
      await load(servers[name].url, WARM_UP);
    }
    const rounds = [];
    for (let round = 0; round < ROUNDS; round++) {
      const figures = {};
      for (const name of rotated(VARIANTS, round)) figures[name] = await measure(servers[name]);
      rounds.push(figures);
    }
    return rounds;
  } finally {
    for (const { child } of Object.values(servers)) await stop(child);
  }
}

const sum = (map) => [...map.values()].reduce((total, value) => total + value, 0);
const figures = { bare: [], added: [], estimated: [], ratio: [], resource: [] };
const parts = new Map();
for (let count = 0; count < LAUNCHES; count++) {
  const rounds = await launch();
  const added = median(rounds.map(({ bare, ours }) => ours.cpuUs - bare.cpuUs));
  const estimated = median(rounds.map(({ ours }) => sum(ours.parts)));
  figures.bare.push(median(rounds.map(({ bare }) => bare.cpuUs)));
  figures.added.push(added);
  figures.estimated.push(estimated);
  figures.ratio.push(estimated / added);
  figures.resource.push(
    median(rounds.map(({ bare, context }) => (context.cpuUs - bare.cpuUs) / context.resources)),
  );
  for (const part of rounds[0].ours.parts.keys())
    parts.set(part, [
      ...(parts.get(part) ?? []),
      median(rounds.map(({ ours }) => ours.parts.get(part) ?? 0)),
    ]);
}

print(
  `CPU us per request: medians of ${ROUNDS} rounds of ${REQUESTS}, over ${LAUNCHES} launches (min to max)`,
);
table(
  ['what', 'CPU us'],
  [
    ['the application without the package', spread(figures.bare)],
    ['truly added by the package', spread(figures.added)],
    ['its own estimate', spread(figures.estimated)],
    ...[...parts].map(([part, values]) => [`of it ${part}`, spread(values)]),
    ['one asynchronous resource that carries a context, in truth', spread(figures.resource, 2)],
  ],
);
const ratio = median(figures.ratio);
const word = Math.abs(ratio - 1) <= TOLERANCE ? 'met' : 'MISSED';
print(
  `Target ${word}: the estimate is ${spread(figures.ratio, 2)} of the truth, limits ${1 - TOLERANCE} and ${1 + TOLERANCE}.`,
);
