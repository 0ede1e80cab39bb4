import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { extname, join } from 'node:path';
import { Client } from 'pg';
import type { KeeperMessage } from './keeper';

/** A running database. */
export interface Database {
  readonly url: string;
  /** A directory for files of the application, deleted with the database. Absent for an external database. */
  readonly directory?: string;
  /** Stops the database, unless it is external. */
  stop(): Promise<void>;
}

const CONNECT_MS = 10_000;

/**
 * The database at DATABASE_URL or, without it, a Postgres that stops with this process, however that ends.
 * @throws Error for an invalid or unreachable DATABASE_URL, and if Postgres does not start
 */
export async function openDatabase(env: NodeJS.ProcessEnv): Promise<Database> {
  const given = env['DATABASE_URL'];
  if (given === undefined || given === '') return startOwn();
  const shown = given.replace(/\/\/[^@/]*@/, '//***@');
  if (!URL.canParse(given) || !/^postgres(?:ql)?:$/.test(new URL(given).protocol)) {
    throw new Error(
      `Invalid DATABASE_URL: received "${shown}", expected an address such as postgres://user:password@localhost:5432/store`,
    );
  }
  await connect(given).catch((error: NodeJS.ErrnoException) => {
    throw new Error(
      `Cannot connect to DATABASE_URL "${shown}" (${error.message || error.code}): start the database, or unset DATABASE_URL to use the store's own Postgres`,
    );
  });
  return { url: given, stop: async () => {} };
}

async function connect(connectionString: string): Promise<void> {
  const client = new Client({ connectionString, connectionTimeoutMillis: CONNECT_MS });
  client.on('error', () => {});
  try {
    await client.connect();
  } finally {
    await client.end().catch(() => {});
  }
}

async function startOwn(): Promise<Database> {
  // Detached, so that signals of the terminal do not reach it: this process needs the database until it has closed.
  const keeper = fork(join(__dirname, `keeper${extname(__filename)}`), {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const message = await firstMessage(keeper);
  if ('fault' in message)
    throw new Error(`Postgres did not start: ${message.fault}. Set DATABASE_URL to use a running Postgres`);
  const stop = async (): Promise<void> => {
    if (keeper.exitCode !== null || keeper.signalCode !== null) return;
    const exited = once(keeper, 'exit');
    if (keeper.connected) keeper.disconnect();
    await exited;
  };
  return { ...message, stop };
}

async function firstMessage(keeper: ChildProcess): Promise<KeeperMessage> {
  const ended = once(keeper, 'exit').then(([code, signal]) => ({
    fault: `its process exited with ${code ?? signal}`,
  }));
  const received = once(keeper, 'message').then(([message]) => message as KeeperMessage);
  return Promise.race([received, ended]);
}
