import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bundleLib } from '../support/bundled-lib.js';
import { plainEnvironment, ROOT } from '../support/child-app.js';

const run = promisify(execFile);
const PROGRAMS = join(__dirname, 'programs');

describe('the lifetime of what the module starts and patches', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nestjs-performance-lifetime-'));
    bundleLib(folder, ['index'], { format: 'cjs' });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const program = async <Result>(name: string, ...argv: string[]): Promise<Result> => {
    const { stdout } = await run(process.execPath, [join(PROGRAMS, name), folder, ...argv], {
      env: plainEnvironment(),
      timeout: 15_000,
    });
    return JSON.parse(stdout) as Result;
  };

  it('counts each call to each driver once in every application of a process, and restores all when it closes', async () => {
    const result = await program<{ counted: object[]; leftBehind: string[] }>('restart.mjs');
    const once = { 'GET 127.0.0.1': 2, 'pg.connect': 1, SET: 1, 'Work.run': 1 };
    expect(result).toEqual({ counted: [once, once, once], leftBehind: [] });
  });

  const runJest = (...options: string[]): Promise<{ stdout: string; stderr: string }> => {
    const esm = '@nestjs|@keyv|keyv|cache-manager|file-type|strtok3|token-types|uint8array-extras';
    const config = {
      rootDir: folder,
      testEnvironment: 'node',
      moduleDirectories: ['node_modules', join(ROOT, 'node_modules')],
      transform: { '\\.m?js$': [join(ROOT, 'node_modules/@swc/jest'), { module: { type: 'commonjs' } }] },
      transformIgnorePatterns: [`/node_modules/(?!(?:${esm})/)`],
    };
    writeFileSync(join(folder, 'jest.config.json'), JSON.stringify(config));
    const jest = join(ROOT, 'node_modules/jest/bin/jest.js');
    const argv = [jest, '--config', join(folder, 'jest.config.json'), '--ci', ...options];
    return run(process.execPath, argv, { env: plainEnvironment(), cwd: folder, timeout: 60_000 });
  };

  interface Started {
    before: string[];
    after: string[];
    started: string[];
  }

  it.each([
    ['`forRoot` is evaluated', 'import'],
    ['a testing module is compiled and never closed', 'compile'],
  ])('starts no timer, thread or handle when %s, and the process ends by itself', async (_when, step) => {
    const { before, after, started } = await program<Started>('compile-only.mjs', step);
    expect(after).toEqual(before);
    expect(started).toEqual([]);
  });

  it('starts its timers when the module is initialized, which keep no process alive', async () => {
    const { started } = await program<Started>('compile-only.mjs', 'initialize');
    expect(started).toContain('Timeout');
  });

  it('leaves no open handle and no warning of Jest for modules that are compiled and never closed', async () => {
    writeFileSync(
      join(folder, 'unit.spec.js'),
      `require('reflect-metadata');
      const { Injectable } = require('@nestjs/common');
      const { Test } = require('@nestjs/testing');
      const { PerformanceModule, PerformanceMonitorService, TrackPerformance } = require('./index.js');
      class Albums { list() { return ['a']; } }
      Injectable()(Albums);
      const descriptor = Object.getOwnPropertyDescriptor(Albums.prototype, 'list');
      TrackPerformance('calculation')(Albums.prototype, 'list', descriptor);
      Object.defineProperty(Albums.prototype, 'list', descriptor);
      for (const i of [1, 2, 3]) test('lists albums ' + i, async () => {
        const testing = await Test.createTestingModule({
          imports: [PerformanceModule.forRoot({ tracing: { endpoint: 'http://127.0.0.1:4600' } })],
          providers: [Albums],
        }).compile();
        expect(testing.get(Albums).list()).toEqual(['a']);
      });`,
    );
    const { stdout, stderr } = await runJest('--detectOpenHandles');
    expect(stderr).toContain('3 passed');
    expect(`${stdout}${stderr}`).not.toMatch(/open handle|did not exit|torn down|Cannot log/i);
  }, 70_000);

  it('disturbs no later test file of the same process if an application is initialized and never closed', async () => {
    writeFileSync(
      join(folder, 'a.open.js'),
      `require('reflect-metadata');
      const { Test } = require('@nestjs/testing');
      const { PerformanceModule } = require('./index.js');
      test('begins', async () => {
        const testing = await Test.createTestingModule({ imports: [PerformanceModule.forRoot()] }).compile();
        await testing.createNestApplication().init();
      });`,
    );
    // Jest removes the properties of what the file before has left on its global object.
    writeFileSync(
      join(folder, 'b.open.js'),
      `test('waits', () => new Promise((resolve) => setTimeout(resolve, 1000)));`,
    );
    const { stdout, stderr } = await runJest('--runInBand', '--testRegex', 'open\\.js$');
    expect(stderr).toContain('2 passed');
    expect(`${stdout}${stderr}`).not.toMatch(/RangeError|soft deleted|did not exit|torn down/i);
  }, 70_000);
});
