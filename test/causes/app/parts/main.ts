/**
 * The parts that the application uses, in their own process: Postgres, a Redis server, an upstream over HTTP, a gRPC server,
 * a MySQL server and a message queue. Sends their addresses as environment variables.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../../../../sample-app/postgres/database';
import { type MysqlPeer, startMysqlServer } from '../../../support/mysql-server';
import { RespServer } from '../../../support/resp-server';
import { startGrpc } from './grpc-server';
import { startQueue } from './queue-server';
import { startRelay } from './relay';
import { seed } from './seed';
import { startUpstream } from './upstream';

/** The simulated network latency of the database. */
const NETWORK_MS = 1;
const SLOW_CACHE_MS = 180;
const MYSQL_NETWORK_MS = 2;

/** For statements without rows: as long as their `SLEEP(seconds)`. */
async function writeAfterSleep(statement: string, peer: MysqlPeer): Promise<void> {
  const seconds = Number(/\bsleep\(([\d.]+)\)/i.exec(statement)?.[1] ?? 0);
  await sleep(MYSQL_NETWORK_MS + 1000 * seconds);
  peer.writeOk({ affectedRows: 1 });
}

async function main(): Promise<void> {
  const database = await openDatabase({});
  const stop = async (): Promise<void> => {
    await database.stop();
    process.exit();
  };
  process.once('disconnect', stop);
  process.once('SIGTERM', stop);
  process.on('SIGINT', () => {});
  await seed(database.url);
  const far = new URL(database.url);
  far.port = String(await startRelay(Number(far.port), NETWORK_MS));
  const [cache, slowCache] = [await RespServer.start(), await RespServer.start({ delayMs: SLOW_CACHE_MS })];
  process.send?.({
    DATABASE_URL: far.href,
    NEAR_DATABASE_URL: database.url,
    CACHE_PORT: String(cache.port),
    SLOW_CACHE_PORT: String(slowCache.port),
    UPSTREAM_URL: `http://127.0.0.1:${await startUpstream()}`,
    GRPC_ADDRESS: `127.0.0.1:${await startGrpc()}`,
    MYSQL_PORT: String((await startMysqlServer(writeAfterSleep)).port),
    QUEUE_PORT: String(await startQueue()),
  });
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  process.exit(1);
});
