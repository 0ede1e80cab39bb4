import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { firstUserFrame, isUserCode, type RawFrame } from '../../lib/code/call-site.js';

describe("the user's code", () => {
  const root = process.cwd();

  it.each([
    join(root, 'src/catalog.ts'),
    `file://${root}/src/my%20shop/catalog.mjs?t=1`,
    '/srv/app/dist/main.js',
    '/srv/lib/code/catalog.js',
    'src/catalog.ts',
  ])('is %s', (url) => {
    expect(isUserCode(url)).toBe(true);
  });

  it.each([
    '',
    'node:internal/process/task_queues',
    'internal/timers.js',
    'native',
    'evalmachine.<anonymous>',
    '<anonymous>',
    '[eval]',
    'REPL1',
    'wasm://wasm/0c2a',
    '/srv/app/engine.wasm',
    'webpack-internal:///./src/a.ts',
    'data:text/javascript,1',
    '/srv/app/node_modules/pg/lib/client.js',
    'file:///srv/app/node_modules/pg/lib/client.js',
    'C:\\app\\node_modules\\pg\\lib\\client.js',
    'node_modules/pg/lib/client.js',
    join(root, 'lib/tracing/drivers.ts'),
    join(root, 'dist/modules/tracing/drivers.js'),
    join(root, 'dist/esm/index.js'),
    `file://${root}/dist/cjs/chunk-5APBE72A.js`,
  ])('is not %j', (url) => {
    expect(isUserCode(url)).toBe(false);
  });

  it('is cached within bounds', () => {
    for (let index = 0; index < 12_000; index++) isUserCode(`/srv/app/${index}.js`);
    expect(isUserCode('/srv/app/1.js')).toBe(true);
  });

  it('is found first in a stack', () => {
    const frame = (url: string): RawFrame => ({ functionName: 'f', url, line: 1, column: 1 });
    const mine = frame('/srv/app/a.js');
    expect(firstUserFrame([frame('node:fs'), frame('/srv/node_modules/a/b.js'), mine])).toBe(mine);
    expect(firstUserFrame([frame('node:fs')])).toBeUndefined();
  });

  it('has the name of its enclosing function where the innermost one has none', () => {
    const frame = (functionName: string, url: string, line: number): RawFrame => ({
      functionName,
      url,
      line,
      column: 1,
    });
    const callback = frame('', '/srv/app/a.js', 7);
    const others = [frame('from', '', 0), frame('main', '/srv/app/b.js', 3)];
    const named = firstUserFrame([callback, ...others, frame('Copies.make', '/srv/app/a.js', 5)]);
    expect(named).toEqual({ ...callback, functionName: 'Copies.make' });
    expect(firstUserFrame([callback, ...others])).toEqual({ ...callback, functionName: '(anonymous)' });
  });
});
