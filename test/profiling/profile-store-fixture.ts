import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import {
  type NewProfile,
  ProfileStore,
  type ProfileStoreOptions,
} from '../../lib/profiling/profile-store.js';

export const HOUR = 60 * 60 * 1000;

/** A folder that is gone after the test, the directory of profiles in it, and what was warned of. */
export class StoreFixture {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'profiles-')));
  readonly directory = join(this.root, 'profiles');
  readonly warnings: string[] = [];
  private readonly mounted = new Set<string>();

  store(options: Partial<ProfileStoreOptions> = {}): ProfileStore {
    return new ProfileStore(
      { directory: this.directory, maxBytes: 1_000_000, maxFiles: 100, maxAgeMs: 24 * HOUR, ...options },
      (message) => this.warnings.push(message),
    );
  }

  /** The names in the directory, sorted. */
  names(): string[] {
    return readdirSync(this.directory).sort();
  }

  /** Lays a file into the directory as another process would. @returns its path */
  lay(name: string, text = '', modifiedAt = Date.now()): string {
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    const path = join(this.directory, name);
    writeFileSync(path, text);
    utimesSync(path, modifiedAt / 1000, modifiedAt / 1000);
    return path;
  }

  /** Lays a CPU profile of another process and its description. */
  layProfile(id: string, text = '{}', description: object = profile(id)): void {
    this.lay(`${id}.cpuprofile`, text);
    this.lay(`${id}.json`, JSON.stringify(description));
  }

  /** Mounts something over a path in the root, until {@link remove}. */
  mount(path: string, ...options: string[]): void {
    if (!mount(...options, path)) throw new Error(`${path} could not be mounted over`);
    this.mounted.add(path);
  }

  unmount(path: string): void {
    unmount(path);
    this.mounted.delete(path);
  }

  remove(): void {
    for (const path of this.mounted) this.unmount(path);
    rmSync(this.root, { recursive: true, force: true });
  }
}

export function profile(id: string, more: Partial<NewProfile> = {}): NewProfile {
  return {
    id,
    type: 'cpu',
    reason: 'on_demand',
    startedAt: 1_700_000_000_000,
    durationMs: 250,
    scope: 'process',
    ...more,
  };
}

/** An id of another process, made at a time given in milliseconds since 1970. */
export function idAt(time: number, sequence = 1, pid = 4711): string {
  const text = new Date(time).toISOString().replace(/[-:]|\..*/g, '');
  return `${text}-${pid}-${String(sequence).padStart(6, '0')}-9f3a2c`;
}

/** Mounts, as only root may, and not in every container. @returns whether it did */
function mount(...options: string[]): boolean {
  return spawnSync('mount', options).status === 0;
}

function unmount(path: string): void {
  spawnSync('umount', ['-l', path]);
}

/** Whether {@link mount} can, here. */
export function canMount(): boolean {
  const path = mkdtempSync(join(tmpdir(), 'mount-'));
  const mounted = mount('-t', 'tmpfs', '-o', 'size=64k', 'none', path);
  if (mounted) unmount(path);
  rmSync(path, { recursive: true });
  return mounted;
}

export async function textOf(content: Readable): Promise<string> {
  let text = '';
  for await (const chunk of content) text += String(chunk);
  return text;
}

export async function* chunks(...given: (string | Uint8Array)[]): AsyncGenerator<string | Uint8Array> {
  for (const chunk of given) {
    await new Promise((resolve) => setImmediate(resolve));
    yield chunk;
  }
}
