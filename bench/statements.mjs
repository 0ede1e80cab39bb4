// The CPU time that a quick statement by `pg` costs: with OpenTelemetry's instrumentations, and with this package. Needs the
// Postgres of the sample application (`npm run build:sample`), or another one at PG_URL.
// Usage: node bench/statements.mjs [LAUNCHES]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { median, print, spread, table, verdict } from './support/figures.mjs';
import { answer, rotated, start, stop } from './support/processes.mjs';

const LAUNCHES = Number(process.argv[2] ?? 3);
const ROUNDS = 12;
/** Statements of a request, and requests of a round. */
const SHAPES = [
  { statements: 50, requests: 40 },
  { statements: 643, requests: 4 },
];
const VARIANTS = {
  bare: 'Nest and pg',
  opentelemetry: 'OpenTelemetry: HTTP and pg instrumentations, batch processor, no-op exporter',
  ours: 'this package, defaults',
};
const names = Object.keys(VARIANTS);

async function startPostgres() {
  if (process.env.PG_URL) return { url: process.env.PG_URL, stop: async () => {} };
  const keeper = fork(fileURLToPath(new URL('../sample-app/dist/postgres/keeper.js', import.meta.url)), {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const { url, fault } = await answer(keeper);
  if (url === undefined) throw new Error(`Postgres did not start: ${fault}`);
  const ended = once(keeper, 'exit');
  return {
    url,
    async stop() {
      keeper.disconnect();
      await ended;
    },
  };
}

async function load(url, { statements, requests }) {
  for (let count = 0; count < requests; count++) {
    const response = await fetch(`${url}/${statements}`);
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    await response.arrayBuffer();
  }
}

function ask(child) {
  child.send('');
  return answer(child);
}

/** CPU microseconds of the server per statement: wall-clock time would include other processes. */
async function measure({ child, url }, name, shape) {
  const before = await ask(child);
  await load(url, shape);
  const after = await ask(child);
  const statements = shape.statements * shape.requests;
  const seen = after.seen - before.seen;
  if (name !== 'bare' && seen !== statements) throw new Error(`${name} counted ${seen} of ${statements}`);
  return (after.cpuUs - before.cpuUs) / statements;
}

const postgres = await startPostgres();
const figures = SHAPES.map(() =>
  Object.fromEntries(names.map((name) => [name, { cpu: [], added: [], ratio: [], share: [] }])),
);
try {
  for (let count = 0; count < LAUNCHES; count++) {
    const servers = {};
    try {
      for (const name of names) {
        const child = start('statements/server.mjs', [name, postgres.url]);
        servers[name] = { child, url: await answer(child) };
        await load(servers[name].url, { statements: 50, requests: 300 });
      }
      for (const [at, shape] of SHAPES.entries()) {
        const cpu = Object.fromEntries(names.map((name) => [name, []]));
        for (let round = 0; round < ROUNDS; round++)
          for (const name of rotated(names, round)) cpu[name].push(await measure(servers[name], name, shape));
        const added = (name) => median(cpu[name].map((value, round) => value - cpu.bare[round]));
        for (const name of names) {
          const figure = figures[at][name];
          figure.cpu.push(median(cpu[name]));
          figure.added.push(added(name));
          figure.ratio.push(added(name) / added('opentelemetry'));
          figure.share.push((100 * added(name)) / median(cpu.bare));
        }
      }
    } finally {
      for (const { child } of Object.values(servers)) await stop(child);
    }
  }
} finally {
  await postgres.stop();
}

for (const [at, { statements, requests }] of SHAPES.entries()) {
  print(
    `\nCPU us per statement of a request with ${statements}: medians of ${ROUNDS} rounds of ${requests} requests, over ${LAUNCHES} launches (min to max)`,
  );
  table(
    ['variant', 'CPU us', 'added to bare', 'share of OpenTelemetry', 'of bare, %'],
    names.map((name) => {
      const { cpu, added, ratio, share } = figures[at][name];
      const rest = name === 'bare' ? ['', '', ''] : [spread(added), spread(ratio, 2), spread(share)];
      return [VARIANTS[name], spread(cpu), ...rest];
    }),
  );
}
verdict('a statement, share of the cost of OpenTelemetry', median(figures[0].ours.ratio), 0.5, '');
verdict('a request of 643 statements, over bare', median(figures[1].ours.share), 8, ' %');
