import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { NotFoundException } from '@nestjs/common';
import { BehaviorSubject, of, range, take } from 'rxjs';
import { TrackPerformance } from '../../lib/nest/decorators/track-performance.decorator.js';
import { until } from '../support/application.js';
import { bundleLib } from '../support/bundled-lib.js';
import { plainEnvironment } from '../support/child-app.js';
import { sleep, startTracing, type TestTracing } from '../support/tracing.js';

const run = promisify(execFile);

describe('a decorated method', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nestjs-performance-decorated-'));
    bundleLib(folder, ['index'], { format: 'cjs' });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('behaves as without the decorator, whatever it returns and whoever waits for it', async () => {
    const seed = Date.now() % 2 ** 31;
    const program = join(__dirname, 'programs/compare-with-plain.mjs');
    const { stdout } = await run(process.execPath, [program, folder, '400', String(seed)], {
      env: plainEnvironment(),
      timeout: 18_000,
    });
    const result = JSON.parse(stdout) as { equal: number; counted: number; failures: number };
    expect(result).toMatchObject({ equal: 400 });
    expect(result.counted).toBeGreaterThan(200);
    expect(result.failures).toBeGreaterThan(20);
  });

  const HEAD = `
    const { PerformanceMonitor, TrackPerformance } = require('./index.js');
    const monitor = new PerformanceMonitor({ alerts: { enabled: false } });
    globalThis[Symbol.for('nestjs-performance.runtime')]().monitors.push(monitor);
    class Work {
      fails() { const failed = Promise.reject(new RangeError('of the method')); failed.catch(() => {}); return failed; }
      async rejects() { throw new RangeError('of the method'); }
    }
    for (const name of ['fails', 'rejects']) {
      const descriptor = Object.getOwnPropertyDescriptor(Work.prototype, name);
      TrackPerformance('calculation')(Work.prototype, name, descriptor);
      Object.defineProperty(Work.prototype, name, descriptor);
    }`;
  const runCode = async (code: string): Promise<{ code: number; stdout: string; stderr: string }> => {
    const file = join(folder, `program-${Math.random()}.cjs`);
    writeFileSync(file, `${HEAD}\n${code}`);
    return run(process.execPath, [file], { env: plainEnvironment(), timeout: 10_000 }).then(
      (ended) => ({ ...ended, code: 0 }),
      (error) => error as { code: number; stdout: string; stderr: string },
    );
  };

  it('does not end the process when it handles its rejection itself', async () => {
    const { code, stdout } = await runCode(
      `new Work().fails(); setTimeout(() => console.log(monitor.getStats().byType.calculation.errorCount), 20);`,
    );
    expect([code, stdout.trim()]).toEqual([0, '1']);
  });

  it('ends the process when nobody handles its rejection, as Node.js does', async () => {
    const { code, stderr } = await runCode(`new Work().rejects(); setTimeout(() => {}, 500);`);
    expect(code).toBe(1);
    expect(stderr.match(/RangeError: of the method/g)).toHaveLength(1);
  });

  it('does not keep the process alive when its promise never settles', async () => {
    const { code, stderr } = await runCode(`
      class Never { wait() { return new Promise(() => {}); } }
      const descriptor = Object.getOwnPropertyDescriptor(Never.prototype, 'wait');
      TrackPerformance()(Never.prototype, 'wait', descriptor);
      Object.defineProperty(Never.prototype, 'wait', descriptor);
      for (let i = 0; i < 5000; i++) new Never().wait();`);
    expect([code, stderr]).toEqual([0, '']);
  });
});

describe('the measurement of results', () => {
  let tracing: TestTracing;
  beforeEach(() => {
    tracing = startTracing();
  });
  afterEach(() => tracing.shutdown());
  const operation = (name: string) =>
    tracing.monitor.getStats().operations.find((candidate) => candidate.name === name);

  class Results {
    readonly settings$ = new BehaviorSubject('initial');

    @TrackPerformance()
    async save(): Promise<void> {}
    @TrackPerformance()
    load(ms: number): Promise<string> {
      return sleep(ms).then(() => 'loaded');
    }
    @TrackPerformance()
    loadTwice(): Promise<string> {
      return this.load(5);
    }
    @TrackPerformance()
    async fail(): Promise<never> {
      await sleep(1);
      throw new SyntaxError('wrong');
    }
    @TrackPerformance()
    async refuse(): Promise<never> {
      await Promise.resolve();
      throw new NotFoundException('no such album');
    }
    @TrackPerformance()
    settings(): BehaviorSubject<string> {
      return this.settings$;
    }
    @TrackPerformance()
    endless() {
      return range(0, Number.MAX_SAFE_INTEGER);
    }
    readonly cached = of(1, 2);
    @TrackPerformance()
    cachedValues() {
      return this.cached;
    }
    @TrackPerformance()
    rethrow(error: unknown): never {
      throw error;
    }
  }

  it('counts a promise that nobody waits for', async () => {
    void new Results().save();
    void new Results().load(20);
    await Promise.resolve();
    expect(operation('Results.load')).toBeUndefined();
    await until(() => operation('Results.load') !== undefined);
    expect(operation('Results.save')).toMatchObject({ count: 1, errorCount: 0 });
    expect(operation('Results.load')).toMatchObject({ count: 1, errorCount: 0 });
    expect(operation('Results.load')?.maxDuration).toBeGreaterThan(15);
  });

  it('ends with the promise, not when someone waits for it later', async () => {
    const loading = new Results().load(5);
    await sleep(60);
    expect(await loading).toBe('loaded');
    expect(operation('Results.load')?.maxDuration).toBeLessThan(50);
  });

  it('knows the error of a promise whose rejection is handled later', async () => {
    const handled = (): void => {};
    process.once('unhandledRejection', handled);
    const failing = new Results().fail();
    failing.finally(() => {}).catch(() => {});
    await expect(failing).rejects.toThrow('wrong');
    process.off('unhandledRejection', handled);
    const span = tracing.exported().find(({ name }) => name === 'Results.fail');
    expect(span?.attributes['error.type']).toBe('SyntaxError');
  });

  it('knows what a promise was rejected with that async functions pass on', async () => {
    const results = new Results();
    const pass = async (): Promise<never> => results.refuse();
    const passOn = async (): Promise<never> => pass();
    await expect(passOn()).rejects.toThrow('no such album');
    // Only what was thrown itself has a status.
    expect(operation('Results.refuse')).toMatchObject({ count: 1, expectedErrorCount: 1 });
  });

  it('ends two methods that return one promise, the inner one first', async () => {
    await new Results().loadTwice();
    const names = tracing.exported().map(({ name }) => name);
    expect(names).toEqual(['Results.load', 'Results.loadTwice']);
  });

  it('counts a Subject when it is returned', () => {
    const results = new Results();
    expect(results.settings()).toBe(results.settings$);
    expect(results.settings().getValue()).toBe('initial');
    expect(operation('Results.settings')).toMatchObject({ count: 2 });
  });

  it('takes no more of an endless Observable than its subscriber', () => {
    const values: number[] = [];
    new Results()
      .endless()
      .pipe(take(3))
      .subscribe((value) => values.push(value));
    expect(values).toEqual([0, 1, 2]);
    expect(operation('Results.endless')).toMatchObject({ count: 1 });
  });

  it('counts each subscription of an Observable that is returned again and again once', () => {
    const results = new Results();
    for (let i = 0; i < 3; i++) expect(results.cachedValues()).toBe(results.cached);
    expect(operation('Results.cachedValues')).toBeUndefined();
    results.cached.subscribe();
    results.cached.subscribe();
    expect(operation('Results.cachedValues')).toMatchObject({ count: 2 });
  });

  it('counts a call that throws a value which cannot be read', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    let thrown: unknown;
    try {
      new Results().rethrow(proxy);
    } catch (error) {
      thrown = error;
    }
    expect(thrown === proxy).toBe(true);
    expect(operation('Results.rethrow')).toMatchObject({ count: 1, errorCount: 1 });
  });
});
