/**
 * Runs a Postgres for the process that forked this one, in a temporary folder. It is a separate process, so that the
 * folder and the server are removed however the parent ends: the IPC channel closes with it.
 */
import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Account, accounts } from './account';
import { Binaries } from './binaries';
import { Cluster } from './cluster';
import { isOpenToAll, makeStoreFolder, places, removeAbandonedFolders } from './store-folder';

export type KeeperMessage = { readonly url: string; readonly directory: string } | { readonly fault: string };

let folder: string | undefined;
let started: Promise<Cluster> | undefined;

async function keep(): Promise<void> {
  await removeAbandonedFolders(places());
  started = startAnywhere();
  try {
    const cluster = await started;
    report({ url: cluster.url, directory: join(folder ?? '', 'performance') });
    await cluster.ended();
  } catch (error) {
    report({ fault: error instanceof Error ? error.message : String(error) });
  }
  await end();
}

function report(message: KeeperMessage): void {
  // The parent may have ended meanwhile.
  if (process.connected) process.send?.(message, () => {});
}

/** Tries all accounts and folders: containers forbid some accounts, and accounts cannot access some folders. */
async function startAnywhere(): Promise<Cluster> {
  const installed = Binaries.installed();
  const faults: string[] = [];
  for (const account of accounts()) {
    for (const place of places()) {
      if (account !== undefined && !isOpenToAll(place)) continue;
      try {
        folder = makeStoreFolder(place);
        return await Cluster.start(folder, usable(installed, folder, account), account);
      } catch (error) {
        faults.push(error instanceof Error ? error.message : String(error));
        removeFolder();
      }
    }
  }
  throw new Error(faults[0] ?? 'it cannot run as root, and there is no unprivileged account');
}

/** The executables of the package if the account can run them, else a copy in the store's folder. */
function usable(installed: Binaries, store: string, account: Account | undefined): Binaries {
  try {
    installed.complete();
  } catch {
    // The package may belong to another user. Then the executables fail below, and the copy is completed.
  }
  if (installed.fault(account) === undefined) return installed;
  if (account !== undefined) chmodSync(store, 0o711);
  const copy = installed.copyTo(join(store, 'native'));
  const fault = copy.fault(account);
  if (fault !== undefined) throw new Error(`its executables do not run here (${fault})`);
  return copy;
}

function removeFolder(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
  folder = undefined;
}

let ending: Promise<never> | undefined;

/** Runs once. */
function end(): Promise<never> {
  ending ??= stopAndRemove();
  return ending;
}

async function stopAndRemove(): Promise<never> {
  try {
    const cluster = await started?.catch(() => undefined);
    await cluster?.stop();
    removeFolder();
  } finally {
    process.exit();
  }
}

process.on('disconnect', end);
process.on('SIGTERM', end);
// Signals of the terminal are ignored: the parent decides when to stop.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
void keep();
