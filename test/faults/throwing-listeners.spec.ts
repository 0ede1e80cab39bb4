import { beforeAll, describe, expect, it } from '@jest/globals';
import { EMPTY, firstValueFrom, map, of, Subject, throwError, toArray } from 'rxjs';
import { guardedListener } from '../../lib/async/guarded-listener.js';
import { GuardedObservable } from '../../lib/nest/guarded-observable.js';
import { type End, FaultProcess } from './process.js';

describe('listeners that fail in every way', () => {
  let end: End;
  let result: { heard: Record<string, number>; lines: string[]; ways: number };
  beforeAll(async () => {
    const process = new FaultProcess('throwing-listeners.mjs');
    end = await process.ended;
    await process.remove();
    result = end.messages.at(-1) as typeof result;
  });

  it('do not end the process', () => {
    expect({ code: end.code, signal: end.signal, stderr: end.stderr }).toEqual({
      code: 0,
      signal: null,
      stderr: '',
    });
  });

  it.each([
    'slowOperations$',
    'slowOperations$ piped',
    'slowOperationUpdates$',
    'slowOperationUpdates$ piped',
    'findings$',
    'findings$ piped',
    'alerts$',
    'alerts$ piped',
    'onSlowOperation',
    'onSlowOperationUpdate',
    'onFinding',
    'onAlert',
    '@OnPerformanceAlert',
  ])('do not keep events from others (%s)', (name) => {
    expect(result.heard[name]).toBeGreaterThan(0);
  });

  it('are logged in one line each, however often they fail', () => {
    const lines = result.lines.filter((line) => line.startsWith('A listener of slowOperations$ failed'));
    // Six listeners for each way to fail, of which one only handles the error of its pipe.
    expect(lines).toHaveLength(result.ways * 6 - result.ways);
    expect(lines[0]).toMatch(
      /Other listeners are not affected: TypeError: boom \(at .*throwing-listeners\.mjs:\d+:\d+\)$/,
    );
    expect(lines).toContainEqual(expect.stringMatching(/affected: a value that cannot be read$/));
  });

  it('may replace themselves', () => {
    expect(result.heard['replaced']).toBe(result.heard['slowOperations$']);
  });
});

describe('a guarded listener', () => {
  it('reports the first of consecutive failures, and the next one after a success', async () => {
    const errors: unknown[] = [];
    const listener = guardedListener(
      (fails: boolean) => (fails ? Promise.reject(new Error('failed')) : undefined),
      (error) => errors.push(error),
    );
    for (const fails of [true, true, false, true]) {
      listener(fails);
      await Promise.resolve();
    }
    expect(errors).toEqual([new Error('failed'), new Error('failed')]);
  });

  it('does not start work that begins when it is first awaited', () => {
    let started = false;
    const lazy = {
      // biome-ignore lint/suspicious/noThenProperty: query builders have one
      then: () => {
        started = true;
      },
    };
    guardedListener(
      () => lazy,
      () => {},
    )(1);
    expect(started).toBe(false);
  });
});

describe('a guarded Observable', () => {
  const errors: unknown[] = [];
  const guarded = <T>(source: Subject<T>): GuardedObservable<T> =>
    new GuardedObservable<T>(
      (error) => errors.push(error),
      (subscriber) => source.subscribe(subscriber),
    );

  it('behaves as any other if nothing fails', async () => {
    const source = new Subject<number>();
    const seen: unknown[] = [];
    const first = firstValueFrom(guarded(source));
    const all = firstValueFrom(
      guarded(source).pipe(
        map((value) => value * 2),
        toArray(),
      ),
    );
    const subscription = guarded(source).subscribe({
      next: (value) => seen.push(value),
      complete: () => seen.push('complete'),
    });
    source.next(1);
    source.next(2);
    expect(source.observed).toBe(true);
    source.complete();
    expect(await first).toBe(1);
    expect(await all).toEqual([2, 4]);
    expect(seen).toEqual([1, 2, 'complete']);
    expect(subscription.closed).toBe(true);
    expect(source.observed).toBe(false);
    expect(errors).toEqual([]);
  });

  it('keeps the observer as `this`, and stops when it is unsubscribed', () => {
    const source = new Subject<number>();
    const observer = {
      seen: [] as number[],
      next(value: number) {
        this.seen.push(value);
      },
    };
    const subscription = guarded(source).subscribe(observer);
    source.next(1);
    subscription.unsubscribe();
    source.next(2);
    expect(observer.seen).toEqual([1]);
  });

  it('passes errors to subscribers that handle them', () => {
    const handled: unknown[] = [];
    const failing = new GuardedObservable<never>(
      (error) => errors.push(error),
      (subscriber) => throwError(() => 'mine').subscribe(subscriber),
    );
    failing.subscribe({ error: (error) => handled.push(error) });
    expect([handled, errors]).toEqual([['mine'], []]);
    failing.subscribe();
    expect(errors).toEqual(['mine']);
  });

  it('needs no listener at all', () => {
    for (const source of [of(1), EMPTY])
      expect(() =>
        new GuardedObservable(
          () => {},
          (subscriber) => source.subscribe(subscriber),
        ).subscribe(null),
      ).not.toThrow();
  });
});
