// Programs built from Go modules, kept in a cache by their versions.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Two processes compile: a build shares the machine. */
const FLAGS = '-buildvcs=false -p=2';
const NICE = '19';
const MAX_OUTPUT = 64 * 1024;

/** The folder of built programs. */
export function cacheFolder(env = process.env) {
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'nestjs-performance', 'fleet');
}

/**
 * The program of a recipe: from the cache, or built.
 * @param {{ name: string, version: string, contents: string, build: (folder: string, go: Go) => Promise<string> }} recipe `build` returns the
 *   path of the program, and `contents` distinguishes programs of one version
 * @param {AbortSignal} signal ends the build
 * @returns {Promise<{ program: string, seconds?: number }>} `seconds` if it was built
 */
export async function obtain({ name, version, contents, build }, { cache = cacheFolder(), signal }) {
  const hash = createHash('sha256').update(contents).digest('hex').slice(0, 8);
  const kept = join(cache, `${name}-${version}-${hash}`);
  const program = join(kept, name);
  if (existsSync(program)) return { program };
  signal.throwIfAborted();
  mkdirSync(cache, { recursive: true });
  removeLeftovers(cache);
  const folder = mkdtempSync(join(cache, `.${name}-`));
  const began = performance.now();
  try {
    const built = await build(folder, new Go(signal));
    const finished = join(folder, 'finished');
    mkdirSync(finished);
    renameSync(built, join(finished, name));
    // Another run may have been faster.
    if (!existsSync(program)) renameSync(finished, kept);
    return { program, seconds: Math.round((performance.now() - began) / 1000) };
  } finally {
    makeWritable(folder);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The folders of builds that were killed. No build takes a day. */
function removeLeftovers(cache) {
  for (const name of readdirSync(cache)) {
    const folder = join(cache, name);
    if (!name.startsWith('.') || Date.now() - statSync(folder).mtimeMs < 86_400_000) continue;
    makeWritable(folder);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Go's command, at low priority, until a signal. */
export class Go {
  constructor(signal) {
    this.signal = signal;
  }

  /** @returns its output @throws Error with the last lines of its errors */
  async run(args, { cwd, env = {} } = {}) {
    const child = spawn('nice', ['-n', NICE, 'go', ...args], {
      cwd,
      // CGO needs a C compiler, and a workspace that a module mentions is not part of it.
      env: { ...process.env, GOFLAGS: FLAGS, GOWORK: 'off', CGO_ENABLED: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const abort = () => {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    };
    this.signal.addEventListener('abort', abort, { once: true });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output = (output + text).slice(-MAX_OUTPUT);
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      errors = (errors + text).slice(-MAX_OUTPUT);
    });
    try {
      const code = await new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', resolve);
      });
      this.signal.throwIfAborted();
      // With -json, a reason is part of the output.
      if (code !== 0) throw new Error(reasonOf(errors.trim() === '' ? output : errors));
      return output;
    } finally {
      this.signal.removeEventListener('abort', abort);
    }
  }

  /**
   * Copies the source of a module, so that it is the main module: only then its `replace` and `exclude` lines hold.
   * @returns the folder
   */
  async source(module, version, folder) {
    const { Dir } = JSON.parse(await this.run(['mod', 'download', '-json', `${module}@v${version}`]));
    const source = join(folder, 'source');
    cpSync(Dir, source, { recursive: true });
    makeWritable(source);
    return source;
  }
}

/** A file that a program embeds and its module does not contain, because the page is built apart. */
export function placeholder(source, path) {
  const file = join(source, path);
  mkdirSync(join(file, '..'), { recursive: true });
  if (!existsSync(file)) writeFileSync(file, '<title>not built</title>');
}

/** The line that says why: others name the packages on the way to it. */
function reasonOf(errors) {
  const lines = errors.trim().split('\n');
  const reason =
    lines.find((line) => /: \d{3} \w|not available|no space|cannot find/.test(line)) ?? lines.at(-1) ?? '';
  return reason
    .replace(/https?:\/\/\S+/g, '')
    .trim()
    .slice(0, 300);
}

/** The files of Go's module cache are read-only. */
function makeWritable(folder) {
  if (!existsSync(folder)) return;
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) makeWritable(path);
    else if (entry.isFile()) chmodSync(path, 0o644);
  }
}
