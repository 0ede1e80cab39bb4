import { Pool, type QueryResult } from 'pg';

let pool: Pool | undefined;

/** Runs one statement on a connection of its own, which can change nothing and keeps no process alive. */
export function queryForPlans(statement: string): Promise<QueryResult> {
  pool ??= createPool();
  return pool.query(statement);
}

/** Created with the first plan: by then main.ts has set DATABASE_URL. */
function createPool(): Pool {
  const created = new Pool({
    connectionString: process.env['DATABASE_URL'],
    max: 1,
    allowExitOnIdle: true,
    options: '-c default_transaction_read_only=on -c statement_timeout=2000',
  });
  // When the database stops. The next statement opens another connection, or fails.
  return created.on('error', () => {});
}
