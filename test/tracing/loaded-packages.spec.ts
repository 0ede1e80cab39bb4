import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadedPackages } from '../../lib/tracing/loaded-packages.js';

const file = (...parts: string[]): string => join('/', 'application', 'node_modules', ...parts);

describe('the packages of which files are loaded', () => {
  const cache: Record<string, object> = {};
  const foldersOf = (name: string): string[] => [...loadedPackages(cache).foldersOf(name)];

  it('are those of the innermost folders, each copy once', () => {
    Object.assign(cache, {
      [join('/', 'application', 'main.js')]: {},
      [file('pg', 'lib', 'client.js')]: {},
      [file('pg', 'lib', 'query.js')]: {},
      [file('other', 'node_modules', 'pg', 'lib', 'client.js')]: {},
      [file('@scope', 'name', 'index.js')]: {},
    });
    expect(foldersOf('pg')).toEqual([file('pg'), file('other', 'node_modules', 'pg')]);
    expect(foldersOf('@scope/name')).toEqual([file('@scope', 'name')]);
    expect(foldersOf('other')).toEqual([]);
    expect(foldersOf('application')).toEqual([]);
  });

  it('include what is loaded later', () => {
    cache[file('ioredis', 'index.js')] = {};
    expect(foldersOf('ioredis')).toEqual([file('ioredis')]);
    expect(foldersOf('pg')).toHaveLength(2);
  });

  it('do not include what is removed, even if as much is loaded instead', () => {
    delete cache[file('pg', 'lib', 'client.js')];
    delete cache[file('pg', 'lib', 'query.js')];
    cache[file('mysql2', 'index.js')] = {};
    cache[file('mysql2', 'promise.js')] = {};
    expect(foldersOf('pg')).toEqual([file('other', 'node_modules', 'pg')]);
    expect(foldersOf('mysql2')).toEqual([file('mysql2')]);
    delete cache[file('mysql2', 'promise.js')];
    delete cache[file('mysql2', 'index.js')];
    expect(foldersOf('mysql2')).toEqual([]);
  });

  it('are those of one cache', () => {
    expect([...loadedPackages({}).foldersOf('ioredis')]).toEqual([]);
    expect(foldersOf('ioredis')).toEqual([file('ioredis')]);
  });
});
