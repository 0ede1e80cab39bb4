import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { lookupsIn, programOf, programWith } from './lookups.js';

const ROOT = join(__dirname, '../..');

/** What is meant to find what is inherited. */
const INTENDED = new Map([
  ['lib/spans/redact.ts: attributes[key]', 'the keys are those of Object.keys'],
  ['lib/tracing/own-span.ts: attributes[key]', 'written only, as the SDK does'],
  ['lib/tracing/own-span.ts: given[key]', 'the keys are those of Object.keys'],
  ['lib/tracing/span-encoder.ts: attributes[key]', 'as before'],
  [
    'lib/validation/checks.ts: value[key]',
    'the names of a shape are ours, and options may be of a class with accessors',
  ],
  [
    'lib/nest/decorators/alert-listeners.ts: methods[method]',
    'the methods of a provider, those of its base class included',
  ],
  ['lib/nest/decorators/alert-listeners.ts: instance[method]', 'as before'],
  [
    'lib/tracing/driver-patches/driver-patch.ts: Reflect.get(prototype, name)',
    'the methods of a driver’s class, by our names',
  ],
  [
    'lib/tracing/driver-patches/sqlite.ts: Reflect.get(iterator, name)',
    'the methods of an iterator, by our names',
  ],
  ['lib/tracing/driver-patches/pg-submitted.ts: Reflect.get(target, name)', 'as before'],
  ['lib/tracing/driver-patches/pg-submitted.ts: Reflect.set(target, name, replaced)', 'as before'],
  ['lib/tracing/module-loads.ts: Reflect.get(of, method)', 'a method of Node.js, by its name in that file'],
  ['lib/tracing/module-loads.ts: Reflect.set(of, method, wrapper)', 'as before'],
  ['lib/tracing/module-loads.ts: Reflect.set(of, method, this.original)', 'as before'],
  [
    'lib/tracing/known-drivers.ts: (of as Prototype)?.prototype?.[name]',
    'the method of a driver’s class, by its name in that file',
  ],
]);

describe('look-ups by name', () => {
  it('find nothing that an object inherits, anywhere in the library', () => {
    const configs = ['tsconfig.json', 'lib/dashboard/page/tsconfig.json'].map((file) => join(ROOT, file));
    const program = programOf(configs, join(ROOT, 'lib'));
    const found = new Map(
      lookupsIn(program, ROOT, 'lib/').map(({ at, line }) => [at, `${at} (line ${line})`]),
    );
    for (const part of ['index.ts', 'cli/run.ts', 'dashboard/page/flame-graph.tsx'])
      expect(program.getSourceFile(join(ROOT, 'lib', part))).toBeDefined();
    expect([...found].filter(([at]) => !INTENDED.has(at)).map(([, text]) => text)).toEqual([]);
    expect([...INTENDED.keys()].filter((at) => !found.has(at))).toEqual([]);
  }, 120_000);

  const REPORTED = [
    'table[text]',
    'table[text + text]',
    'table[text] = 1',
    'delete table[text]',
    'shape[text as "a"]',
    'shape[(text as "a")!]',
    'junk[junk]',
    'list[text as never]',
    'table?.[text]',
    'Object.hasOwn(table, "other") ? table[text] : 0',
    'Object.hasOwn(table, text) ? 0 : table[text]',
    'text in table',
    'for (const name in table) name',
    'const { [text]: value } = table',
    'const { [text]: value = 0 } = table',
    'Reflect.get(table, text)',
    'Reflect.has(table, text)',
    'Object.assign({}, table)',
    'table.hasOwnProperty(text)',
    'function by(name: string) { return table[name]; }',
    'function of<T, K extends keyof T>(object: T, name: K) { return object[name]; }',
  ];
  const SILENT = [
    'Object.hasOwn(table, text) ? table[text] : undefined',
    'new Map(Object.entries(table)).get(text)',
    'table["a"]',
    'list[index]',
    'text[index]',
    'shape[closed]',
    'shape[maybe!]',
    '(shape as any)[key]',
    '"a" in table',
    'for (const name of Object.keys(table)) name',
    'const made = { [text]: 1 }',
    'const { a } = shape',
    'const { ["a"]: value } = shape',
    'Object.fromEntries([[text, 1]])',
    'Object.assign({}, { a: 1 })',
    'const copy = { ...table }',
    'function of<K extends keyof typeof shape>(name: K) { return shape[name]; }',
    'class Box { #own = 1; static is(value: object) { return #own in value; } }',
  ];

  it('are reported where they find it, and nowhere else', () => {
    const file = '/fixture/lookup.ts';
    const statements = [...REPORTED, ...SILENT];
    const text = [DECLARED, ...statements.map((statement) => `{ ${statement}; }`), 'export {};'].join('\n');
    const found = lookupsIn(programWith(file, text), '/fixture', '').map(({ line }) => statements[line - 2]);
    expect(found).toEqual(REPORTED);
  });
});

/** On one line. */
const DECLARED = `
  declare const table: Record<string, number>, list: number[], text: string, index: number, junk: any;
  declare const closed: 'a' | 'b', maybe: 'a' | undefined, key: unique symbol;
  declare const shape: { a: number; b: number; toString(): string };`.replaceAll('\n', ' ');
