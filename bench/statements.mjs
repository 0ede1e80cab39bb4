// The CPU time that a quick statement by `pg` costs: with OpenTelemetry's instrumentations, and with this package. Needs the
// Postgres of the sample application (`npm run build:sample`), or another one at PG_URL.
// Usage: node bench/statements.mjs [LAUNCHES]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { median, verdict } from './support/figures.mjs';
import { answer } from './support/processes.mjs';
import { compareWork } from './support/work-cost.mjs';

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

const postgres = await startPostgres();
try {
  const [few, many] = await compareWork({
    what: 'statement',
    script: 'statements/server.mjs',
    args: [postgres.url],
    variants: {
      bare: 'Nest and pg',
      opentelemetry: 'OpenTelemetry: HTTP and pg instrumentations, batch processor, no-op exporter',
      ours: 'this package, defaults',
    },
    shapes: [
      { pieces: 50, requests: 40 },
      { pieces: 643, requests: 4 },
    ],
    launches: Number(process.argv[2] ?? 3),
  });
  verdict('a statement, share of the cost of OpenTelemetry', median(few.ours.ratio), 0.5, '');
  verdict('a request of 643 statements, over bare', median(many.ours.share), 8, ' %');
} finally {
  await postgres.stop();
}
