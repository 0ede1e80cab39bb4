import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { map, of } from 'rxjs';
import { type CallSite, captureUserFrames, type RawFrame } from '../../lib/code/call-site.js';
import { SourceMaps } from '../../lib/code/source-maps.js';

const SOURCE = readFileSync(__filename, 'utf8').split('\n');
const HERE = 'test/code/call-site.spec.ts';

/** Where this file carries a mark: `// <mark>` at the end of a line. */
function lineOf(mark: string): number {
  return SOURCE.findIndex((line) => line.endsWith(`// <${mark}>`)) + 1;
}

function located(frames: RawFrame[]): [string, number][] {
  const maps = new SourceMaps();
  return frames
    .map((frame): CallSite => maps.locate(frame))
    .filter(({ file }) => file === HERE)
    .map((site) => [site.function, site.line]);
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Wraps a method as the library's own decorators do. */
function wrapped(_target: object, _name: string, descriptor: PropertyDescriptor): void {
  const method = descriptor.value as (...given: unknown[]) => unknown;
  descriptor.value = function (this: unknown, ...given: unknown[]) {
    return method.apply(this, given);
  };
}

class CatalogService {
  frames: RawFrame[] = [];

  async withTracks(): Promise<void> {
    await this.load(); // <withTracks>
  }

  async load(): Promise<void> {
    await tick();
    this.frames = captureUserFrames(); // <load>
  }

  async each(albums: number[]): Promise<void> {
    await Promise.all(
      albums.map(async () => {
        await tick();
        this.frames = captureUserFrames(); // <callback>
      }),
    ); // <all>
  }

  synchronous(): void {
    [1].map(() => this.capture()); // <map>
  }

  capture(): void {
    this.frames = captureUserFrames(); // <capture>
  }

  async chained(): Promise<void> {
    await Promise.resolve()
      .then(() => tick())
      .then(() => {
        this.frames = captureUserFrames(); // <then>
      }); // <chain>
  }

  @wrapped
  decorated(): void {
    this.frames = captureUserFrames(); // <decorated>
  }

  static made(): RawFrame[] {
    return captureUserFrames(); // <static>
  }

  get first(): RawFrame | undefined {
    return captureUserFrames()[0];
  }
}

describe('the frames of the user', () => {
  const service = new CatalogService();

  it('include the functions that await, with source lines', async () => {
    await service.withTracks();
    expect(located(service.frames).slice(0, 2)).toEqual([
      ['CatalogService.load', lineOf('load')],
      ['CatalogService.withTracks', lineOf('withTracks')],
    ]);
  });

  it('pass through Promise.all, and a callback has the name of its enclosing method', async () => {
    await service.each([1, 2]);
    const [callback, around] = located(service.frames);
    expect(callback).toEqual(['CatalogService.each', lineOf('callback')]);
    expect(around?.[0]).toBe('CatalogService.each');
  });

  it('name synchronous callbacks in the same way', () => {
    service.synchronous();
    expect(located(service.frames).slice(0, 2)).toEqual([
      ['CatalogService.capture', lineOf('capture')],
      ['CatalogService.synchronous', lineOf('map')],
    ]);
  });

  it('include what a chain of then runs', async () => {
    await service.chained();
    expect(located(service.frames)[0]).toEqual(['CatalogService.chained', lineOf('then')]);
  });

  it('have the class in the name of decorated and static methods, accessors and constructors', () => {
    service.decorated();
    expect(located(service.frames)[0]).toEqual(['CatalogService.decorated', lineOf('decorated')]);
    expect(located(CatalogService.made())[0]).toEqual(['CatalogService.made', lineOf('static')]);
    expect(service.first?.functionName).toBe('CatalogService.first');
    let made: RawFrame[] = [];
    class Album {
      constructor() {
        made = captureUserFrames();
      }
    }
    expect(new Album()).toBeDefined();
    expect(made[0]?.functionName).toBe('new Album');
  });

  it('have the own name of a function called by a timer', async () => {
    const frames = await new Promise<RawFrame[]>((resolve) => {
      setTimeout(function refresh() {
        resolve(captureUserFrames());
      }, 1);
    });
    expect(frames.map(({ functionName }) => functionName)).toEqual(['refresh']);
  });

  it('are anonymous if no enclosing function has a name', async () => {
    const frames = await new Promise<RawFrame[]>((resolve) => {
      setTimeout(() => resolve(captureUserFrames()), 1);
    });
    expect(frames.map(({ functionName }) => functionName)).toEqual(['(anonymous)']);
  });

  it('exclude dependencies, Node and this library', () => {
    let frames: RawFrame[] = [];
    of(1)
      .pipe(map(() => (frames = captureUserFrames(100)))) // <rxjs>
      .subscribe();
    expect(located(frames)[0]?.[1]).toBe(lineOf('rxjs'));
    expect(frames.filter(({ url }) => /node_modules|^node:|\/lib\//.test(url))).toEqual([]);
  });

  it('are limited to the requested number', () => {
    const deep = (depth: number): RawFrame[] => (depth === 0 ? captureUserFrames(3) : deep(depth - 1));
    expect(deep(20)).toHaveLength(3);
    expect(captureUserFrames(0)).toEqual([]);
  });

  it('are found at a depth beyond the limit of the process', () => {
    const before = Error.stackTraceLimit;
    Error.stackTraceLimit = 1;
    try {
      const deep = (depth: number): RawFrame[] => (depth === 0 ? captureUserFrames(60) : deep(depth - 1));
      expect(deep(40).length).toBeGreaterThan(40);
      expect(Error.stackTraceLimit).toBe(1);
    } finally {
      Error.stackTraceLimit = before;
    }
  });
});

describe('the state of Error', () => {
  const KEYS = ['stackTraceLimit', 'prepareStackTrace'] as const;
  const before = KEYS.map((key) => Object.getOwnPropertyDescriptor(Error, key));
  afterEach(() => {
    KEYS.forEach((key, index) => {
      Object.defineProperty(Error, key, before[index] ?? { value: undefined });
    });
  });

  it('is restored', () => {
    captureUserFrames();
    expect(KEYS.map((key) => Object.getOwnPropertyDescriptor(Error, key))).toEqual(before);
  });

  it.each(KEYS)('may have its %s frozen', (key) => {
    Object.defineProperty(Error, key, { writable: false });
    const [frame] = captureUserFrames(); // <frozen>
    expect(frame).toBeDefined();
    expect(located(frame === undefined ? [] : [frame])[0]?.[1]).toBe(lineOf('frozen'));
  });

  it.each(KEYS)('may throw when its %s is written', (key) => {
    Object.defineProperty(Error, key, {
      get: () => undefined,
      set: () => {
        throw new Error('no');
      },
    });
    expect(captureUserFrames()).toEqual([]);
  });

  it('may have a formatter that throws or returns no string', () => {
    for (const formatter of [
      () => {
        throw new Error('no');
      },
      (_error: Error, sites: unknown) => sites,
      () => 'no position',
    ]) {
      Error.prepareStackTrace = formatter;
      const frames = captureUserFrames();
      Error.prepareStackTrace = before[1]?.value;
      expect(frames[0]?.url).toBe(__filename);
    }
  });

  it('may have no limit', () => {
    Object.defineProperty(Error, 'stackTraceLimit', { value: 0, writable: false });
    expect(captureUserFrames()).toEqual([]);
  });
});

describe('the packages between a frame and what was captured', () => {
  const captured = (): RawFrame[] => captureUserFrames();

  it('are named for the innermost frame, the nearest first', () => {
    let frames: RawFrame[] = [];
    of(10)
      .pipe(map(captureUserFrames))
      .subscribe((captured) => {
        frames = captured;
      });
    const [innermost, ...outer] = frames as [RawFrame, ...RawFrame[]];
    expect(innermost.through).toEqual(['rxjs']);
    expect(outer.every(({ through }) => through === undefined)).toBe(true);
  });

  it('are none where the line called no package', () => {
    expect(captured()[0]).not.toHaveProperty('through');
  });
});
