import { describe, expect, it } from '@jest/globals';
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { AnswerLimit } from '../../lib/async/answer-limit.js';
import { UNTRACED } from '../../lib/async/untraced.js';
import { mapStore, simulated, slowOperation } from './simulated-instance.js';

describe('a store that fails', () => {
  it('is reported by the view and once in the log, and the instance shows itself', async () => {
    const fails = async (): Promise<never> => {
      throw new Error('connection refused');
    };
    const one = simulated('one', { store: { get: fails, set: fails, delete: fails } });
    one.slow.add(slowOperation('a1'));
    await one.fleet.publish();
    await one.fleet.publish();
    expect(one.warnings).toEqual([expect.stringMatching(/could not be published: connection refused/)]);
    const view = await one.fleet.view();
    expect(view.store).toEqual({ kind: 'shared', problem: 'connection refused' });
    expect(view.instances.map(({ id }) => id)).toEqual(['one']);
    expect(await one.fleet.slowOperation('a2')).toBeUndefined();
    await one.stop();
  });

  it.each([
    [true, 'is reported where the application has set it'],
    [false, 'is left to the view where it is the default'],
  ])('as a directory that cannot be written (%s) %s', async (isChosen) => {
    const one = simulated('one', { directory: '/dev/null/fleet', isChosen });
    await one.fleet.publish();
    expect(one.warnings).toHaveLength(isChosen ? 1 : 0);
    expect((await one.fleet.view()).store).toMatchObject({
      kind: 'directory',
      problem: expect.stringMatching(/ENOTDIR|EEXIST/),
    });
    await one.stop();
  });

  it('that never answers holds up nobody', async () => {
    const never = (): Promise<never> => new Promise(() => {});
    const one = simulated('one', { store: { get: never, set: never, delete: never } });
    void one.fleet.publish();
    const view = await one.fleet.view();
    expect(view.store.problem).toBe('no answer within 2 s');
    expect(view.instances).toHaveLength(1);
    await one.stop();
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('not connected');
      },
    ],
    ['has no promise', () => 'nonsense'],
  ] satisfies [string, () => unknown][])('is asked again, however often its get %s', async (_, answer) => {
    const store = mapStore();
    const one = simulated('one', { store });
    one.slow.add(slowOperation('a1'));
    await one.fleet.publish();
    const { fleet } = simulated('reader', { store });
    const { get } = store;
    store.get = answer as never;
    for (let time = 0; time < 10; time++) expect(await fleet.slowOperation('a1')).toBeUndefined();
    store.get = get;
    expect(await fleet.slowOperation('a1')).toMatchObject({ instance: 'one' });
    expect((await fleet.view()).store).toEqual({ kind: 'shared' });
  });

  it('may have values rather than promises', async () => {
    const store = mapStore();
    const one = simulated('one', { store });
    one.slow.add(slowOperation('a1'));
    await one.fleet.publish();
    store.get = ((key: string) => store.values.get(key)) as never;
    const { fleet } = simulated('reader', { store });
    expect(await fleet.slowOperation('a1')).toMatchObject({ instance: 'one' });
    expect((await fleet.view()).instances).toHaveLength(2);
  });

  it('with some answers throws nothing that nobody handles', async () => {
    const store = mapStore();
    for (const name of ['one', 'two']) await simulated(name, { store }).fleet.publish();
    const { get } = store;
    let summaries = 0;
    store.get = (key) => {
      if (!key.includes(':of:')) return get(key);
      if (summaries++ === 0) return Promise.reject(new Error('not handled'));
      throw new Error('not connected');
    };
    const unhandled: unknown[] = [];
    const listener = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', listener);
    try {
      const view = await simulated('reader', { store }).fleet.view();
      expect(view.store.problem).toMatch(/not/);
      await new Promise((resolve) => setImmediate(resolve));
      expect(summaries).toBe(2);
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', listener);
    }
  });
});

describe('a limit of answers', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('not connected');
      },
    ],
    ['rejects', () => Promise.reject(new Error('not connected'))],
  ] satisfies [string, () => unknown][])('counts no request that %s as unanswered', async (_, ask) => {
    const limit = new AnswerLimit(1000, 1, () => {});
    for (let time = 0; time < 3; time++)
      await expect(limit.answerOf(ask as () => Promise<never>)).rejects.toThrow('not connected');
    expect(await limit.answerOf((() => 5) as never)).toBe(5);
    expect(await limit.answerOf(async () => 6)).toBe(6);
  });
});

describe('an instance that shuts down', () => {
  const summaries = (store: ReturnType<typeof mapStore>): string[] =>
    [...store.values.keys()].filter((key) => key.includes(':of:'));

  it.each([
    ['its slow operations', ':slow:', 0],
    ['its summary', ':of:', 1],
  ])('is not listed, if %s were being written for the first time', async (_, part, summariesWritten) => {
    const store = mapStore();
    const { set } = store;
    let release = (): void => {};
    let written = 0;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const reached = new Promise<void>((resolve) => {
      store.set = async (key, value) => {
        if (key.includes(':of:')) written++;
        if (key.includes(part)) {
          resolve();
          await released;
        }
        return set(key, value);
      };
    });
    const one = simulated('one', { store });
    one.slow.add(slowOperation('a1'));
    const publishing = one.fleet.publish();
    await reached;
    const stopped = one.stop();
    release();
    await Promise.all([publishing, stopped]);
    expect(summaries(store)).toEqual([]);
    expect(written).toBe(summariesWritten);
    expect(one.warnings).toEqual([]);
  });

  it('publishes no more', async () => {
    const store = mapStore();
    const one = simulated('one', { store });
    await one.fleet.publish();
    expect(summaries(store)).toHaveLength(1);
    await one.stop();
    await one.fleet.publish();
    expect(summaries(store)).toEqual([]);
  });
});

describe('what an instance publishes by itself', () => {
  it('is written without tracing, whatever runs where it is started', async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const store = mapStore();
    const one = simulated('one', { store });
    try {
      const written = new Promise((resolve) => {
        const { set } = store;
        store.set = (...entry) => {
          resolve(context.active());
          return set(...entry);
        };
      });
      one.slow.add(slowOperation('a1'));
      context.with(ROOT_CONTEXT, () => one.fleet.start());
      expect(await written).toBe(UNTRACED);
    } finally {
      await one.stop();
      context.disable();
    }
  });
});
