import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const PREFIX = 'music-store-';
/** Names created by `mkdtemp`. */
const NAME = /^music-store-\w{6}$/;
/** Names the owner of the folder. A folder without this file does not belong to a store. */
const OWNER = 'owner.json';
const STOP_MS = 5_000;

interface Process {
  readonly pid: number;
  /** Distinguishes it from a later process with the same PID. */
  readonly args: string;
}

interface Owner {
  /** PIDs are meaningful only within one PID namespace (container). */
  readonly namespace: string;
  /** The keeper and the application. */
  readonly processes: readonly Process[];
}

/** The folders for temporary files, in order of preference. */
export function places(): string[] {
  const others = process.platform === 'win32' ? [] : ['/tmp', '/var/tmp', '/dev/shm'];
  return [...new Set([tmpdir(), ...others])].filter(existsSync);
}

/** Whether every account can traverse the folder and its parents. */
export function isOpenToAll(folder: string): boolean {
  return (
    (statSync(folder).mode & 0o001) !== 0 && (folder === dirname(folder) || isOpenToAll(dirname(folder)))
  );
}

/** Creates a folder owned by this process and its parent. @throws Error if the place is not writable */
export function makeStoreFolder(place: string): string {
  const folder = mkdtempSync(join(place, PREFIX));
  const processes = [process.pid, process.ppid].map((pid) => ({ pid, args: argumentsOf(pid) ?? '' }));
  writeFileSync(join(folder, OWNER), JSON.stringify({ namespace: namespace(), processes } satisfies Owner));
  return folder;
}

/** Removes the folders of killed stores, and stops the servers that still run in them. */
export async function removeAbandonedFolders(places: readonly string[]): Promise<void> {
  for (const place of places) {
    for (const name of namesIn(place)) {
      const folder = join(place, name);
      try {
        if (!isAbandoned(folder)) continue;
        await stopServer(folder);
        rmSync(folder, { recursive: true, force: true });
      } catch {
        // The folder belongs to another user, or another store removes it at the same time.
      }
    }
  }
}

function namesIn(place: string): string[] {
  try {
    return readdirSync(place).filter((name) => NAME.test(name));
  } catch {
    return [];
  }
}

function isAbandoned(folder: string): boolean {
  const stats = lstatSync(folder);
  if (!stats.isDirectory() || stats.uid !== (process.getuid?.() ?? stats.uid)) return false;
  const owner = JSON.parse(readFileSync(join(folder, OWNER), 'utf8')) as Owner;
  return owner.namespace === namespace() && !owner.processes.some(isAlive);
}

async function stopServer(folder: string): Promise<void> {
  const file = join(folder, 'data', 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
  const runs = (): boolean => argumentsOf(pid)?.includes(folder) === true;
  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    if (!runs()) return;
    process.kill(pid, signal);
    for (const end = Date.now() + STOP_MS; runs() && Date.now() < end; ) await setTimeout(50);
  }
}

/** Compares the command line or, if the system does not provide it, checks the PID alone. */
function isAlive({ pid, args }: Process): boolean {
  if (args !== '') return argumentsOf(pid) === args;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function namespace(): string {
  return process.platform === 'linux' ? readlinkSync('/proc/self/ns/pid') : hostname();
}

/** The command line of a process; undefined if the process does not exist or the system does not provide it. */
function argumentsOf(pid: number): string | undefined {
  if (!(pid > 0)) return undefined;
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8') || undefined;
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' });
  } catch {
    return undefined;
  }
}
