import 'reflect-metadata';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, SetMetadata, UseGuards } from '@nestjs/common';
import { OnEvent } from '@nestjs/event-emitter';
import { MessagePattern } from '@nestjs/microservices';
import { Cron } from '@nestjs/schedule';
import { trace } from '@opentelemetry/api';
import { firstValueFrom, type Observable, of, Subject, throwError, timer } from 'rxjs';
import { map } from 'rxjs/operators';
import {
  TrackPerformance,
  withPerformanceTracking,
} from '../../lib/nest/decorators/track-performance.decorator.js';
import { sleep, startTracing, type TestTracing } from '../support/tracing.js';

let tracing: TestTracing;
const started = { lazy: 0 };

class Thenable {
  // biome-ignore lint/suspicious/noThenProperty: query builders are thenables that run when `then` is called
  then(resolve: (value: string) => void): void {
    started.lazy++;
    resolve('ran');
  }
}

class Calculator {
  #factor = 2;
  static readonly unit = 'm';

  @TrackPerformance('calculation', 10)
  double(value: number): number {
    return value * this.#factor;
  }

  @TrackPerformance('calculation', 5)
  async slowly(): Promise<string> {
    await sleep(15);
    return 'done';
  }

  @TrackPerformance('calculation')
  fails(): never {
    throw new RangeError('out of range');
  }

  @TrackPerformance()
  async rejects(): Promise<never> {
    throw new TypeError('wrong');
  }

  @TrackPerformance({ type: 'query', name: 'lazy query', threshold: 50 })
  lazy(): Thenable {
    return new Thenable();
  }

  @TrackPerformance('stream', 5)
  stream(values: number): Observable<number> {
    return timer(0, 4).pipe(map((n) => n + values));
  }

  @TrackPerformance('stream')
  failingStream(): Observable<never> {
    return throwError(() => new RangeError('dry'));
  }

  @TrackPerformance('pages')
  async *pages(): AsyncGenerator<string | undefined> {
    yield activeSpanName();
    await sleep(1);
    yield activeSpanName();
  }

  @TrackPerformance('pages')
  *counted(): Generator<number, string, number> {
    const given = yield 1;
    return `got ${given}`;
  }

  @TrackPerformance('calculation')
  static convert(value: number): string {
    return value + Calculator.unit;
  }

  @TrackPerformance('calculation')
  inner(): string | undefined {
    return activeSpanName();
  }
}

function activeSpanName(): string | undefined {
  return (trace.getActiveSpan() as { name?: string } | undefined)?.name;
}

beforeEach(() => {
  tracing = startTracing();
});
afterEach(() => tracing.shutdown());

function operation(name: string) {
  return tracing.monitor.getStats().operations.find((candidate) => candidate.name === name);
}

function span(name: string) {
  return tracing.exported().find((candidate) => candidate.name === name);
}

describe('@TrackPerformance', () => {
  it('returns what a method returns and counts it', () => {
    expect(new Calculator().double(21)).toBe(42);
    expect(operation('Calculator.double')).toMatchObject({
      type: 'calculation',
      count: 1,
      slowCount: 0,
      errorCount: 0,
    });
    expect(span('Calculator.double')?.attributes).toMatchObject({
      'calculation.duration': expect.any(Number),
      'calculation.slow': false,
      'calculation.error': false,
    });
    expect(span('Calculator.double')?.events).toEqual([]);
  });

  it('measures a promise until it settles, and annotates a slow one', async () => {
    await expect(new Calculator().slowly()).resolves.toBe('done');
    const slow = span('Calculator.slowly');
    expect(slow?.attributes).toMatchObject({
      'calculation.slow': true,
      'calculation.error': false,
      'performance.slow': true,
      'performance.threshold': 5,
    });
    expect(slow?.attributes['calculation.duration']).toBeGreaterThan(10);
    expect(slow?.events.map(({ name, attributes }) => ({ name, attributes }))).toEqual([
      {
        name: 'calculation.slow_operation',
        attributes: { duration: slow?.attributes['calculation.duration'], threshold: 5 },
      },
    ]);
    expect(tracing.monitor.getSlowOperations()).toMatchObject([
      { name: 'Calculator.slowly', thresholdMs: 5 },
    ]);
  });

  it('rethrows the same error, and counts it', async () => {
    expect(() => new Calculator().fails()).toThrow(new RangeError('out of range'));
    await expect(new Calculator().rejects()).rejects.toThrow(new TypeError('wrong'));
    expect(operation('Calculator.fails')).toMatchObject({ errorCount: 1 });
    expect(operation('Calculator.rejects')).toMatchObject({ type: 'internal', errorCount: 1 });
    expect(span('Calculator.fails')?.attributes).toMatchObject({
      'calculation.error': true,
      'error.type': 'RangeError',
    });
    expect(span('Calculator.fails')?.attributes).not.toHaveProperty('calculation.slow');
  });

  it('does not execute a thenable that is not a promise', () => {
    started.lazy = 0;
    expect(new Calculator().lazy()).toBeInstanceOf(Thenable);
    expect(started.lazy).toBe(0);
    expect(operation('lazy query')).toMatchObject({ type: 'query', count: 1 });
  });

  it('measures an Observable from each subscription to its end or unsubscription', async () => {
    const stream = new Calculator().stream(10);
    expect(operation('Calculator.stream')).toBeUndefined();
    await sleep(10);
    const begun = performance.now();
    await expect(firstValueFrom(stream)).resolves.toBe(10);
    const subscribedMs = performance.now() - begun;
    expect(operation('Calculator.stream')).toMatchObject({ count: 1, errorCount: 0 });
    // The time between the call and the subscription is not part of it.
    expect(operation('Calculator.stream')?.maxDuration).toBeLessThanOrEqual(subscribedMs);
    await firstValueFrom(stream);
    expect(operation('Calculator.stream')).toMatchObject({ count: 2 });
  });

  it('forwards the error of an Observable', async () => {
    await expect(firstValueFrom(new Calculator().failingStream())).rejects.toThrow('dry');
    expect(operation('Calculator.failingStream')).toMatchObject({ count: 1, errorCount: 1 });
  });

  it('runs each step of a generator in the context of the operation, and restores it in between', async () => {
    const seen: unknown[] = [];
    for await (const name of new Calculator().pages()) {
      seen.push(name);
      expect(activeSpanName()).toBeUndefined();
    }
    expect(seen).toEqual(['Calculator.pages', 'Calculator.pages']);
    expect(operation('Calculator.pages')).toMatchObject({ count: 1 });
  });

  it('passes values to and from a generator, and ends on an early return', () => {
    const counted = new Calculator().counted();
    expect(counted.next()).toEqual({ value: 1, done: false });
    expect(counted.next(7)).toEqual({ value: 'got 7', done: true });
    const left = new Calculator().counted();
    left.next(0);
    expect(left.return('left')).toEqual({ value: 'left', done: true });
    expect(operation('Calculator.counted')).toMatchObject({ count: 2, errorCount: 0 });
  });

  it('measures static methods with the same `this`', () => {
    expect(Calculator.convert(3)).toBe('3m');
    expect(operation('Calculator.convert')).toMatchObject({ count: 1 });
  });

  it('activates its span as a child of the active span', () => {
    const tracer = tracing.provider.getTracer('test');
    tracer.startActiveSpan('outer', (outer) => {
      expect(new Calculator().inner()).toBe('Calculator.inner');
      outer.end();
    });
    expect(span('Calculator.inner')?.parentSpanContext?.spanId).toBe(span('outer')?.spanContext().spanId);
  });

  it('preserves name, length, prototype and the metadata of decorators above and below', () => {
    class Guard {
      canActivate(): boolean {
        return false;
      }
    }
    @Controller()
    class Routes {
      @Get('above')
      @UseGuards(Guard)
      @SetMetadata('role', 'admin')
      @Cron('* * * * *')
      @OnEvent('album.played')
      @MessagePattern('sum')
      @TrackPerformance()
      tracked(_a: string, _b: string): void {}

      @TrackPerformance()
      @Get('above')
      @UseGuards(Guard)
      @SetMetadata('role', 'admin')
      @Cron('* * * * *')
      @OnEvent('album.played')
      @MessagePattern('sum')
      trackedLast(_a: string, _b: string): void {}

      @Get('above')
      @UseGuards(Guard)
      @SetMetadata('role', 'admin')
      @Cron('* * * * *')
      @OnEvent('album.played')
      @MessagePattern('sum')
      plain(_a: string, _b: string): void {}
    }
    const { plain, tracked, trackedLast } = Routes.prototype;
    expect(Reflect.getOwnMetadataKeys(plain).length).toBeGreaterThan(5);
    for (const method of [tracked, trackedLast]) {
      expect(Reflect.getOwnMetadataKeys(method).sort()).toEqual(Reflect.getOwnMetadataKeys(plain).sort());
      for (const key of Reflect.getOwnMetadataKeys(plain)) {
        const expected: unknown = Reflect.getOwnMetadata(key, plain);
        if (typeof expected !== 'string' || !expected.includes('plain')) {
          expect(Reflect.getOwnMetadata(key, method)).toEqual(expected);
        }
      }
      expect(method.length).toBe(2);
    }
    expect(tracked.name).toBe('tracked');
    expect(trackedLast.name).toBe('trackedLast');
  });

  it('calls the original method without a running monitor', async () => {
    await tracing.shutdown();
    expect(new Calculator().double(4)).toBe(8);
    expect(tracing.exported()).toEqual([]);
    tracing = startTracing();
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      'a property',
      () => TrackPerformance()({}, 'field'),
      /Invalid use of @TrackPerformance: field is not a method/,
    ],
    [
      'an accessor',
      () => TrackPerformance()({}, 'size', { get: () => 1 }),
      /Invalid use of @TrackPerformance: size is not a method/,
    ],
    [
      'a class',
      () => (TrackPerformance() as unknown as ClassDecorator)(class Nothing {}),
      /Invalid use of @TrackPerformance: a function is not a method/,
    ],
    [
      'a negative threshold',
      () => TrackPerformance('calculation', -1),
      /Invalid threshold of @TrackPerformance: received -1, .* 0 to 86400000/,
    ],
    [
      'NaN',
      () => TrackPerformance('calculation', Number.NaN),
      /Invalid threshold of @TrackPerformance: received NaN/,
    ],
    ['an invalid type', () => TrackPerformance('a b'), /Invalid type of @TrackPerformance: received "a b"/],
    ['an empty name', () => TrackPerformance({ name: '' }), /Invalid name of @TrackPerformance: received ""/],
  ])('rejects %s', (_what, decorate, message) => {
    expect(decorate).toThrow(message);
  });
});

describe('withPerformanceTracking', () => {
  it('returns the result of the function, and creates a root or a child span', async () => {
    await expect(withPerformanceTracking('calculation', async () => 5, { threshold: 5000 })).resolves.toBe(5);
    expect(span('calculation')?.parentSpanContext).toBeUndefined();
    tracing.provider.getTracer('test').startActiveSpan('outer', (outer) => {
      expect(withPerformanceTracking('calculation', () => activeSpanName(), { name: 'named' })).toBe('named');
      outer.end();
    });
    expect(span('named')?.parentSpanContext?.spanId).toBe(span('outer')?.spanContext().spanId);
  });

  it('measures an Observable until it completes', () => {
    const source = new Subject<number>();
    const values: number[] = [];
    withPerformanceTracking('feed', () => source.asObservable()).subscribe((value) => values.push(value));
    source.next(1);
    expect(operation('feed')).toBeUndefined();
    source.complete();
    expect(values).toEqual([1]);
    expect(operation('feed')).toMatchObject({ count: 1 });
  });

  it('rejects anything but a function', () => {
    expect(() => withPerformanceTracking('calculation', 5 as never)).toThrow(
      /Invalid operation of withPerformanceTracking: received 5/,
    );
  });

  it('returns other values unchanged', () => {
    expect(withPerformanceTracking('calculation', () => of)).toBe(of);
  });
});
