import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from '../packaging/processes.js';
import { bundleLib } from '../support/bundled-lib.js';

const CLIENT = 'module.exports = class Client { query() { return Promise.resolve({ rowCount: 1 }); } };';
const PG = `exports.Client = require('./client');
Object.defineProperty(exports, 'native', { get: () => ({ Client: require('./native/client') }) });`;
const SQLITE = `class Statement { all() { return ['row']; } }
module.exports = class Database {
  prepare(source) { return Object.assign(new Statement(), { source }); }
  exec() { return this; }
  close() {}
};`;

describe('drivers that an application loads after its start', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'late-drivers-'));
    const write = (path: string, text: string): void => {
      const file = join(folder, 'application', path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    };
    const install = (path: string, version: string, files: Record<string, string>): void => {
      write(`node_modules/${path}/package.json`, JSON.stringify({ version, main: 'lib' }));
      for (const [file, text] of Object.entries(files)) write(`node_modules/${path}/lib/${file}.js`, text);
    };
    const dependencies = { 'better-sqlite3': '12', pg: '8' };
    write('package.json', JSON.stringify({ name: 'application', dependencies }));
    install('better-sqlite3', '12.0.0', {
      index: "module.exports = require('./database');",
      database: SQLITE,
    });
    for (const path of ['pg', 'orm/node_modules/pg', 'late/node_modules/pg'])
      install(path, '8.16.0', { index: PG, client: CLIENT, 'native/client': CLIENT });
    for (const path of ['orm', 'late', 'nothing', 'unreadable'])
      write(`node_modules/${path}/pg.js`, "module.exports = require('pg');");
    install('unreadable/node_modules/pg', '8.16.0', {
      index: "Object.defineProperty(exports, 'Client', { get() { throw new Error('unreadable'); } });",
    });
    install('nothing/node_modules/pg', '8.16.0', { index: 'module.exports = null;' });
    install('broken', '1.0.0', { index: "throw new Error('of the driver');" });
    write('node_modules/broken/other.js', '');
    for (const format of ['cjs', 'esm'] as const) {
      mkdirSync(join(folder, format));
      bundleLib(join(folder, format), ['tracing/drivers'], { format });
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ['require', 'cjs'],
    ['require', 'esm'],
    ['import', 'cjs'],
    ['import', 'esm'],
    ['process', 'esm'],
  ])('are measured by %s from the build as %s, until it ends', async (how, format) => {
    const program = join(__dirname, 'programs', 'late-drivers.mjs');
    const library = join(folder, format, 'tracing', 'drivers.js');
    const { code, stdout, stderr } = await run(
      process.execPath,
      ['--no-warnings', program, library, join(folder, 'application'), how],
      folder,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({
      sqlite: ['select exec', 'select prepared'],
      pg: ['select first', 'select second', 'select native'],
      ...(isBuiltin('node:sqlite') ? { builtin: ['select ?'] } : {}),
      thrown: 'of the driver',
      unreadable: 'object',
      nothing: 'null',
      warnings: [expect.stringMatching(/^pg is not instrumented, .*: unreadable$/)],
      ...(how === 'import' ? { seen: 1 } : { leftBehind: [] }),
      afterwards: [],
    });
  });
});
