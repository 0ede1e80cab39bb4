import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const PREFIX = 'music-store-';
/** The process that removes the folder when it ends. */
const OWNER = 'owner.json';
/** A folder without an owner may just have been made. */
const NEW_MS = 60_000;
const STOP_MS = 5_000;

interface Owner {
  readonly pid: number;
  /** Among the arguments of that process: another one may have its number by now. */
  readonly token: string;
}

/** The folders in which a store can keep its files, the best first. */
export function places(): string[] {
  const others = process.platform === 'win32' ? [] : ['/tmp', '/var/tmp', '/dev/shm'];
  return [...new Set([tmpdir(), ...others])].filter(existsSync);
}

/** Whether every account can reach what is in the folder. */
export function isOpenToAll(folder: string): boolean {
  return (
    (statSync(folder).mode & 0o001) !== 0 && (folder === dirname(folder) || isOpenToAll(dirname(folder)))
  );
}

/** Makes a folder that belongs to this process. @throws Error where the place is not writable */
export function makeStoreFolder(place: string, token: string): string {
  const folder = mkdtempSync(join(place, PREFIX));
  writeFileSync(join(folder, OWNER), JSON.stringify({ pid: process.pid, token } satisfies Owner));
  return folder;
}

/** Removes what stores left behind that were killed, with the servers that still run in it. */
export async function removeAbandonedFolders(places: readonly string[]): Promise<void> {
  for (const place of places) {
    for (const name of namesIn(place)) {
      const folder = join(place, name);
      try {
        if (!isAbandoned(folder)) continue;
        await stopServer(folder);
        rmSync(folder, { recursive: true, force: true });
      } catch {
        // Another user's, or another store removes it at the same time.
      }
    }
  }
}

function namesIn(place: string): string[] {
  try {
    return readdirSync(place).filter((name) => name.startsWith(PREFIX));
  } catch {
    return [];
  }
}

function isAbandoned(folder: string): boolean {
  const stats = lstatSync(folder);
  if (!stats.isDirectory() || stats.uid !== (process.getuid?.() ?? stats.uid)) return false;
  const file = join(folder, OWNER);
  if (!existsSync(file)) return Date.now() - stats.mtimeMs > NEW_MS;
  const { pid, token } = JSON.parse(readFileSync(file, 'utf8')) as Owner;
  return !runs(pid, token);
}

async function stopServer(folder: string): Promise<void> {
  const file = join(folder, 'data', 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    if (!runs(pid, folder)) return;
    process.kill(pid, signal);
    for (const end = Date.now() + STOP_MS; runs(pid, folder) && Date.now() < end; ) await setTimeout(50);
  }
}

/** Whether there is a process of this number with this text among its arguments. */
function runs(pid: number, text: string): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return argumentsOf(pid)?.includes(text) ?? true;
}

/** Nothing where the system does not say. */
function argumentsOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && process.platform === 'linux'
      ? ''
      : undefined;
  }
}
