// The processes of one run: on loopback, in one temporary folder, all of them ended with it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './results.mjs';

const TERM_MS = 20_000;
const LOG_LINES = 15;

/** A folder and the processes that run in it. */
export class Run {
  folder = mkdtempSync(join(tmpdir(), 'nestjs-performance-fleet-'));
  #processes = [];
  #cleanups = [];

  /** A new folder for one engine. */
  folderOf(name) {
    const folder = join(this.folder, name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** Called at the end, before the folder is deleted. */
  onEnd(cleanup) {
    this.#cleanups.push(cleanup);
  }

  /**
   * Starts a program and waits until it responds. Its output goes to a file, whose end is part of an error.
   * @param {() => Promise<unknown>} [ready] whether it responds
   */
  async start(name, program, args, { ready, env, readyMs = 60_000, cwd } = {}) {
    const file = join(this.folder, `${name}.log`);
    const log = createWriteStream(file);
    await once(log, 'open');
    // A group of its own, so that no child of it remains.
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', log, log], detached: true });
    const started = { name, child, log: () => readFileSync(file, 'utf8') };
    this.#processes.push(started);
    let fault;
    child.once('error', (error) => {
      fault = error;
    });
    if (ready === undefined) return started;
    const lastLines = () => started.log().trimEnd().split('\n').slice(-LOG_LINES).join('\n');
    await eventually(
      `${name} ready`,
      async () => {
        if (fault !== undefined || child.exitCode !== null || child.signalCode !== null) return true;
        return ready(started);
      },
      { timeoutMs: readyMs },
    ).catch((error) => {
      throw new Error(`${error.message}\n${lastLines()}`);
    });
    if (fault !== undefined) throw new Error(`${name} cannot be started: ${fault.message}`);
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`${name} ended with ${child.exitCode ?? child.signalCode}:\n${lastLines()}`);
    return started;
  }

  /** Ends one process and what it has started. */
  async stop({ child }) {
    if (child.pid === undefined) return;
    const exited = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), TERM_MS);
    await exited;
    clearTimeout(late);
    killGroup(child.pid);
  }

  /** Ends all, the last one first, and deletes the folder. */
  async end() {
    for (const cleanup of this.#cleanups.splice(0)) await cleanup();
    await Promise.all(this.#processes.splice(0).map((started) => this.stop(started)));
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }

  /** For the end of this process, when nothing can be waited for. */
  killAll() {
    for (const { child } of this.#processes) if (child.pid !== undefined) killGroup(child.pid);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function killGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of it has ended.
  }
}

const given = new Set();

/** A free port of 127.0.0.1 that this run has not given before. */
export async function freePort() {
  for (;;) {
    const server = createServer();
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address();
    await new Promise((resolve) => server.close(resolve));
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
}

/** Whether an address answers with a success. */
export async function answers(url) {
  return (await fetch(url, { signal: AbortSignal.timeout(5000) })).ok;
}
