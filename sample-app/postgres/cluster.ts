import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import type { Account } from './account';
import type { Binaries } from './binaries';

const READY = 'database system is ready to accept connections';
const PORT_TAKEN = 'could not create any TCP/IP sockets';
/** Another process may take a free port before Postgres binds it. */
const ATTEMPTS = 5;
/** On one slow core the start takes about five seconds. */
const START_MS = 60_000;
/** A server that does not stop within this time is killed. */
const STOP_MS = 5_000;
/** The maximum number of output characters kept. */
const MAX_OUTPUT = 16_384;

/** A Postgres server with a private data folder, listening on the loopback interface only. */
export class Cluster {
  private constructor(
    readonly url: string,
    private readonly server: ChildProcess,
  ) {}

  /**
   * @param folder the folder for its data, accessible to the account
   * @throws Error with the message of Postgres
   */
  static async start(folder: string, binaries: Binaries, account: Account | undefined): Promise<Cluster> {
    const password = randomBytes(18).toString('base64url');
    const data = join(folder, 'data');
    await initialize(folder, data, password, binaries, account);
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      try {
        const base = `postgres://store:${password}@127.0.0.1:${port}`;
        const cluster = new Cluster(`${base}/store`, await serve(data, port, binaries, account));
        await createDatabase(`${base}/postgres`).catch(async (error: unknown) => {
          await cluster.stop();
          throw error;
        });
        return cluster;
      } catch (error) {
        if (attempt === ATTEMPTS || !String(error).includes(PORT_TAKEN)) throw error;
      }
    }
  }

  /** Resolves when the server has exited. */
  async ended(): Promise<void> {
    if (this.server.exitCode === null && this.server.signalCode === null) await once(this.server, 'exit');
  }

  async stop(): Promise<void> {
    this.server.kill('SIGINT');
    const timer = setTimeout(() => this.server.kill('SIGKILL'), STOP_MS);
    await this.ended();
    clearTimeout(timer);
  }
}

async function initialize(
  folder: string,
  data: string,
  password: string,
  binaries: Binaries,
  account: Account | undefined,
): Promise<void> {
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  mkdirSync(data, { mode: 0o700 });
  if (account !== undefined) {
    // Traversable for others, but not readable.
    chmodSync(folder, 0o711);
    for (const path of [passwordFile, data]) chownSync(path, account.uid, account.gid);
  }
  const flags = [
    `--pgdata=${data}`,
    '--username=store',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--no-sync',
    '--no-instructions',
  ];
  const child = run(binaries.initdb, flags, folder, account);
  const output = collect(child);
  const [code] = await once(child, 'close');
  rmSync(passwordFile, { force: true });
  if (code !== 0) throw new Error(complaint(output()) ?? `initdb exited with ${code}`);
}

async function serve(
  data: string,
  port: number,
  binaries: Binaries,
  account: Account | undefined,
): Promise<ChildProcess> {
  const settings = {
    listen_addresses: '127.0.0.1',
    // Sockets and shared memory would be files elsewhere, which a crash would leave behind.
    unix_socket_directories: '',
    dynamic_shared_memory_type: process.platform === 'win32' ? 'windows' : 'mmap',
    fsync: 'off',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = run(binaries.postgres, ['-D', data, '-p', String(port), ...flags], data, account);
  const output = collect(child);
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`the server was not ready within ${START_MS / 1000} s`));
    }, START_MS);
    child.stderr?.on('data', () => output().includes(READY) && resolve());
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(complaint(output()) ?? `the server exited with ${code}`)));
    child.once('close', () => clearTimeout(timer));
    child.stderr?.on('data', () => output().includes(READY) && clearTimeout(timer));
  });
  return child;
}

async function createDatabase(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query('CREATE DATABASE store');
  await client.end();
}

function run(program: string, flags: string[], cwd: string, account: Account | undefined): ChildProcess {
  const others = Object.entries(process.env).filter(([name]) => !/^(?:PG|LC_|LANG)/.test(name));
  return spawn(program, flags, {
    ...account,
    cwd,
    // English messages, as they are parsed, and none of the user's settings for another Postgres.
    env: { ...Object.fromEntries(others), LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** The output of the program so far, truncated at the start. */
function collect(child: ChildProcess): () => string {
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-MAX_OUTPUT);
    });
  child.once('error', ({ message }) => (output += `FATAL: ${message}`));
  return () => output;
}

/** The first error message in the output, without its timestamp. */
function complaint(output: string): string | undefined {
  const lines = output.split('\n');
  return lines.map((line) => /(?:error|ERROR|FATAL|PANIC):\s+(.+)/.exec(line)?.[1]).find(Boolean);
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
