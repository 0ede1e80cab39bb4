import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { KeeperMessage } from '../../sample-app/postgres/keeper';

const KEEPER = join(__dirname, '../../sample-app/dist/postgres/keeper.js');

/** Starts the Postgres of the sample application. */
export async function startPostgres(): Promise<{ url: string; stop(): Promise<void> }> {
  const keeper = fork(KEEPER, {
    detached: true,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(keeper, 'exit');
  const [message] = (await Promise.race([
    once(keeper, 'message'),
    ended.then(([code]) => [{ fault: `its process exited with ${code}` }]),
  ])) as [KeeperMessage];
  if ('fault' in message) throw new Error(`Postgres did not start: ${message.fault}`);
  return {
    url: message.url,
    stop: async () => {
      keeper.disconnect();
      await ended;
    },
  };
}
