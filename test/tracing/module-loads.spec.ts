import { Module } from 'node:module';
import { afterEach, describe, expect, it } from '@jest/globals';
import { onBuiltinLoaded, onFileLoaded } from '../../lib/tracing/module-loads.js';

type Load = (this: object, path: string) => unknown;
const prototype = Module.prototype as unknown as { load: Load };

/** What loading a file calls, without loading one. */
function load(path: string): void {
  prototype.load.call({}, path);
}

describe('following the modules that are loaded', () => {
  const original = prototype.load;
  const getBuiltinModule = process.getBuiltinModule;
  const loaded: string[] = [];
  let loads = 0;
  const counting: Load = (path) => {
    loads++;
    return path;
  };
  const ends: (() => void)[] = [];
  const follow = (name: string): (() => void) => {
    const end = onFileLoaded((path) => loaded.push(`${name}: ${path}`));
    ends.push(end);
    return end;
  };
  afterEach(() => {
    for (const end of ends.splice(0)) end();
    prototype.load = original;
    process.getBuiltinModule = getBuiltinModule;
    loaded.length = 0;
    loads = 0;
  });

  it('restores what it has replaced, whichever of several ends first', () => {
    prototype.load = counting;
    const [first, second] = [follow('first'), follow('second')];
    load('a');
    first();
    load('b');
    second();
    load('c');
    expect(loaded).toEqual(['first: a', 'second: a', 'second: b']);
    expect(prototype.load).toBe(counting);
    expect(loads).toBe(3);
  });

  it('adds one call, however often applications start and end across each other', () => {
    prototype.load = counting;
    let end = follow('0');
    for (let count = 1; count <= 20_000; count++) {
      const next = onFileLoaded(() => loaded.push('last'));
      end();
      end = next;
    }
    load('a');
    end();
    expect(loaded).toEqual(['last']);
    expect(prototype.load).toBe(counting);
  });

  it('is silent below another tool that has wrapped it since, and continues there', () => {
    prototype.load = counting;
    const first = follow('first');
    const own = prototype.load;
    const other: Load = function (this: object, path) {
      return own.call(this, path);
    };
    prototype.load = other;
    first();
    load('a');
    for (let count = 0; count < 100; count++) follow('again')();
    follow('second');
    load('b');
    expect(loaded).toEqual(['second: b']);
    expect(prototype.load).toBe(other);
  });

  it('leaves alone what cannot be replaced', () => {
    Object.defineProperty(prototype, 'load', { value: original, writable: false, configurable: true });
    Object.defineProperty(process, 'getBuiltinModule', {
      value: getBuiltinModule,
      writable: false,
      configurable: true,
    });
    try {
      const end = onFileLoaded(() => {});
      const endBuiltin = onBuiltinLoaded('node:sqlite', () => {});
      expect([prototype.load, process.getBuiltinModule]).toEqual([original, getBuiltinModule]);
      end();
      endBuiltin();
    } finally {
      Object.defineProperty(prototype, 'load', { writable: true });
      Object.defineProperty(process, 'getBuiltinModule', { writable: true });
    }
  });

  it('adds nothing that is absent', () => {
    const absent = process as { getBuiltinModule?: unknown };
    absent.getBuiltinModule = undefined;
    onBuiltinLoaded('node:sqlite', () => {})();
    expect(absent.getBuiltinModule).toBeUndefined();
  });
});
