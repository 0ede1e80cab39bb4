import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { FileBaselineStore } from '../../lib/baseline/file-store.js';
import { plainEnvironment, ROOT } from '../support/child-app.js';

const PROGRAM = resolve(ROOT, 'bench/baseline/save-forever.mjs');
const TIMES = 200;
const LANES = 4;

/** What the store needs, compiled: the process that is killed has no Jest. */
async function compile(folder: string): Promise<void> {
  await writeFile(join(folder, 'package.json'), '{"type":"commonjs"}');
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  for (const part of [
    'async',
    'baseline',
    'bytes',
    'inference',
    'operation',
    'statistics',
    'text',
    'validation',
  ])
    for (const name of await readdir(join(ROOT, 'lib', part))) {
      const path = join(folder, part, name.replace(/\.ts$/, '.js'));
      await mkdir(dirname(path), { recursive: true });
      const source = await readFile(join(ROOT, 'lib', part, name), 'utf8');
      const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
      await writeFile(path, ts.transpileModule(source, { compilerOptions }).outputText);
    }
}

describe('a process that is killed while it saves', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nestjs-performance-kill-'));
    await compile(folder);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it(`leaves what it saved last, or what it saved before, ${TIMES} times of ${TIMES}`, async () => {
    const warnings: string[] = [];
    // Side by side, because most of the time is the start of a process.
    const lane = async (number: number): Promise<void> => {
      const directory = join(folder, `kept-${number}`);
      const store = new FileBaselineStore(directory, (message) => warnings.push(message));
      let state = number + 1;
      for (let round = number; round < TIMES; round += LANES) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        const instance = `run-${round % 3}`;
        await store.remove('shop', instance);
        const child: ChildProcess = fork(PROGRAM, [folder, directory, instance], {
          execArgv: [],
          env: plainEnvironment(),
        });
        let told = 0;
        child.on('message', (saved) => {
          told = Number(saved);
        });
        await once(child, 'message');
        await setTimeout((state / 2 ** 32) * 40);
        const closed = once(child, 'close');
        child.kill('SIGKILL');
        await closed;
        const found = (await store.load('shop'))?.find((one) => one.instance === instance);
        expect(found?.savedAt).toBeGreaterThanOrEqual(Math.max(1, told));
        expect(found?.operations).toHaveLength(200);
        expect(found?.operations.every(({ count }) => count === found.savedAt)).toBe(true);
      }
    };
    await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
    expect(warnings).toEqual([]);
  }, 300_000);
});
