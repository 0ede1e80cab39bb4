import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isInApplicationPackage } from '../../lib/code/application-packages.js';
import { captureUserFrames, firstUserFrame, hasUserCode, type RawFrame } from '../../lib/code/call-site.js';

const CATALOG = `
exports.list = function list(query) {
  return query();
};
`;
const QUERY = `
exports.query = (capture) => new Promise((resolve) => setImmediate(() => resolve(capture())));
exports.calledBack = (callback) => new Promise((resolve) => setImmediate(() => resolve(callback())));
`;

const at = (url: string): RawFrame => ({ functionName: 'any', url, line: 1, column: 1 });

describe('A package that may hold the application', () => {
  it.each([
    ['/srv/node_modules/@shop/core/dist/catalog.js', true],
    ['file:///srv/node_modules/cms-server/index.js', true],
    ['/srv/node_modules/@shop/core/node_modules/content/index.js', true],
    ['/srv/node_modules/@shop/core/node_modules/pg/lib/client.js', false],
    ['/srv/node_modules/pg-pool/index.js', false],
    ['/srv/node_modules/nestjs-performance/dist/cjs/index.js', false],
    ['/srv/node_modules/typeorm/query-builder/QueryBuilder.js', false],
    ['/srv/node_modules/@nestjs/core/router/router-proxy.js', false],
    ['/srv/node_modules/@mikro-orm/core/EntityManager.js', false],
    ['C:\\srv\\node_modules\\express\\lib\\router.js', false],
    ['/srv/dist/main.js', false],
    ['node:internal/timers', false],
    ['', false],
  ])('%s: %p', (url, expected) => {
    expect(isInApplicationPackage(at(url))).toBe(expected);
    expect(isInApplicationPackage(at(url))).toBe(expected);
  });

  it('has the first frame only where no frame is of the user', () => {
    const shop = at('/srv/node_modules/shop/index.js');
    const driver = at('/srv/node_modules/pg/lib/client.js');
    expect(firstUserFrame([driver, shop, at('/srv/dist/main.js')])?.url).toBe('/srv/dist/main.js');
    expect(firstUserFrame([driver, shop])).toBe(shop);
    expect(firstUserFrame([driver])).toBeUndefined();
    expect(hasUserCode([driver, shop])).toBe(false);
  });
});

describe('The frames of an application in a package', () => {
  let folder: string;
  let catalog: { list(query: () => unknown): unknown };
  let driver: Record<'query' | 'calledBack', (callback: () => unknown) => Promise<RawFrame[]>>;
  beforeAll(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'packages-')));
    const file = (path: string, text: string): string => {
      const whole = join(folder, 'node_modules', path);
      mkdirSync(dirname(whole), { recursive: true });
      writeFileSync(whole, text);
      return whole;
    };
    catalog = require(file('shop/catalog.js', CATALOG));
    driver = require(file('pg/index.js', QUERY));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('are captured where the user has none', async () => {
    const capture = captureUserFrames.bind(undefined, 5);
    const frames = await driver.calledBack(catalog.list.bind(undefined, capture));
    expect(frames[0]).toMatchObject({ functionName: 'list', line: 3 });
    expect(frames[0]?.url).toContain('/shop/catalog.js');
    expect(frames.every(({ url }) => !url.includes('/pg/'))).toBe(true);
  });

  it('are left out where the user has one', async () => {
    const frames = await driver.calledBack(() => catalog.list(() => captureUserFrames(5)));
    expect(frames[0]?.url).toBe(__filename);
    expect(frames.every(({ url }) => !url.includes('/shop/'))).toBe(true);
  });

  it('are none where only drivers ran', async () => {
    expect(await driver.query(captureUserFrames.bind(undefined, 5))).toEqual([]);
  });
});
