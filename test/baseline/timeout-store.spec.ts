import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { isOverRun } from '../../lib/baseline/baseline-snapshot.js';
import type { BaselineStore } from '../../lib/baseline/baseline-store.js';
import { TimeoutStore } from '../../lib/baseline/timeout-store.js';
import { newInstanceKey } from '../../lib/operation/instance.js';
import { snapshot } from './programs/snapshots.js';

describe('TimeoutStore', () => {
  it('fails if the store never answers, warns once, and sends no more than three requests', async () => {
    let asked = 0;
    const never = (): Promise<never> => {
      asked++;
      return new Promise(() => {});
    };
    const warnings: string[] = [];
    const store = new TimeoutStore(
      { load: never, save: never, remove: never },
      (message) => warnings.push(message),
      20,
    );
    expect(await store.load('shop')).toBeUndefined();
    expect(await store.save(snapshot())).toBe(false);
    for (let more = 0; more < 10; more++) expect(await store.save(snapshot())).toBe(false);
    expect(asked).toBe(3);
    expect(warnings).toEqual([
      'The baseline store did not answer within 0.02 s. The request is retried later; data in memory is kept',
    ]);
  });

  it('sends requests again after a late answer, and rejects only with errors that are in time', async () => {
    let answer: (kept: boolean) => void = () => {};
    let fail: (error: Error) => void = () => {};
    const inner: BaselineStore = {
      load: () =>
        new Promise((_, reject) => {
          fail = reject;
        }),
      save: () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
      remove: async () => {},
    };
    const store = new TimeoutStore(inner, () => {}, 20);
    for (let time = 0; time < 5; time++) {
      expect(await store.save(snapshot())).toBe(false);
      answer(true);
      await new Promise(setImmediate);
    }
    const kept = store.save(snapshot());
    answer(true);
    expect(await kept).toBe(true);
    // An unhandled rejection after the time limit would fail the test.
    expect(await store.load('shop')).toBeUndefined();
    fail(new Error('too late'));
    await new Promise(setImmediate);
    const loaded = store.load('shop');
    fail(new Error('at once'));
    await expect(loaded).rejects.toThrow('at once');
  });
});

describe('isOverRun', () => {
  const id = (pid: number): string => newInstanceKey().replace(`-${process.pid}-`, `-${pid}-`);

  it('is what was said to be, what is old, and whose process has gone', async () => {
    const gone = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    await once(gone, 'exit');
    expect(isOverRun(snapshot({ savedAt: 100, instance: 'elsewhere-1-0123456789ab', ended: true }), 50)).toBe(
      true,
    );
    expect(isOverRun(snapshot({ savedAt: 100, instance: 'elsewhere-1-0123456789ab' }), 150)).toBe(true);
    expect(isOverRun(snapshot({ savedAt: 100, instance: id(gone.pid as number) }), 50)).toBe(true);
    expect(isOverRun(snapshot({ savedAt: 100, instance: id(process.pid) }), 50)).toBe(true);
  });

  it('is none that runs, here or elsewhere', () => {
    expect(isOverRun(snapshot({ savedAt: 100, instance: id(process.ppid) }), 50)).toBe(false);
    expect(isOverRun(snapshot({ savedAt: 100, instance: `elsewhere-${process.pid}-0123456789ab` }), 50)).toBe(
      false,
    );
    expect(isOverRun(snapshot({ savedAt: 100, instance: 'archive-0123456789ab0123456789ab' }), 50)).toBe(
      false,
    );
  });
});
