// The measured server: VARIANT, then the address of a Postgres. A piece of work is a quick query.
import { createRequire } from 'node:module';
import { serveWork, startOpenTelemetry } from '../support/work-server.mjs';

const [variant, database] = process.argv.slice(2);
const require = createRequire(import.meta.url);

async function tracing() {
  const { HttpInstrumentation } = await import('@opentelemetry/instrumentation-http');
  const { PgInstrumentation } = await import('@opentelemetry/instrumentation-pg');
  const instrumentations = [new HttpInstrumentation(), new PgInstrumentation()];
  const seen = await startOpenTelemetry(instrumentations, ({ name }) => name.startsWith('pg.query'));
  require('node:http');
  return seen;
}

const seen = variant === 'opentelemetry' ? await tracing() : undefined;
const pg = require('pg');
const pool = new pg.Pool({ connectionString: database, max: 4 });

await serveWork({
  variant,
  type: 'database',
  seen,
  async work(number) {
    const { rows } = await pool.query('SELECT $1::int AS id, $2::text AS name', [number, 'a name']);
    return rows[0].id;
  },
});
