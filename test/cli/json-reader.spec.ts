import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { InputFault } from '../../lib/cli/analyze/input-fault.js';
import { type JsonListener, JsonReader, type Lists } from '../../lib/cli/analyze/json-reader.js';

/** Rebuilds the values from what it receives. */
class Rebuilt implements JsonListener {
  readonly values: unknown[] = [];
  private readonly open: {
    value: Record<string, unknown>;
    list: unknown[];
    key: string;
    lists: Set<string>;
    isMember: boolean;
  }[] = [];

  objectStart(key: string): void {
    const around = this.open.at(-1);
    const isMember = around !== undefined && !around.lists.has(key);
    this.open.push({ value: {}, list: [], key, lists: new Set(), isMember });
  }

  listStart(key: string): void {
    const top = this.open.at(-1);
    // A list of documents.
    if (top === undefined) return;
    top.list = [];
    top.lists.add(key);
    define(top.value, key, top.list);
  }

  member(_list: string, key: string, value: unknown): void {
    define((this.open.at(-1) as Rebuilt['open'][number]).value, key, value);
  }

  element(_list: string, value: unknown): void {
    (this.open.at(-1)?.list ?? this.values).push(value);
  }

  objectEnd(): void {
    const { value, key, isMember } = this.open.pop() as Rebuilt['open'][number];
    if (isMember) this.member('', key, value);
    else this.element('', value);
  }
}

function define(target: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Reads all but the outermost object whole. */
const NO_LISTS: Lists = {};

function read(pieces: Buffer[], lists: Lists): unknown[] {
  const rebuilt = new Rebuilt();
  const reader = new JsonReader(lists, rebuilt);
  for (const piece of pieces) reader.push(piece);
  reader.end();
  return rebuilt.values;
}

function cut(bytes: Buffer, at: number[]): Buffer[] {
  const places = [0, ...at.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((place, index) => bytes.subarray(places[index], place));
}

function faultOf(text: string, lists: Lists = NO_LISTS): { line: number | undefined; reason: string } {
  try {
    read([Buffer.from(text)], lists);
  } catch (error) {
    if (error instanceof InputFault) return { line: error.line, reason: error.reason };
    throw error;
  }
  return { line: 0, reason: 'none' };
}

const KEYS = ['a', 'b', 'c'];
const SPACES = [undefined, 2, '\t'];
const LISTS: Lists = { a: { b: { c: {} }, c: {} }, b: {} };

/** Documents whose members often are what is taken apart. */
const document = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.jsonValue(),
    tie('object'),
    fc.array(tie('object'), { maxLength: 4 }),
  ),
  object: fc.dictionary(fc.oneof(fc.constantFrom(...KEYS), fc.string()), tie('value'), { maxKeys: 5 }),
})).value;

describe('JsonReader', () => {
  it('reads what JSON.parse reads, wherever the bytes are cut and whatever is taken apart', () => {
    fc.assert(
      fc.property(
        fc.array(document, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(...SPACES),
        fc.constantFrom('\n', '\r\n', ' ', '\n\n', '\n\ufeff'),
        fc.array(fc.nat(), { maxLength: 30 }),
        fc.constantFrom(NO_LISTS, LISTS),
        fc.constantFrom('', '\ufeff'),
        (values, space, between, cuts, lists, bom) => {
          const texts = values.map((value) => JSON.stringify(value, null, space));
          const bytes = Buffer.from(bom + texts.join(between));
          expect(read(cut(bytes, cuts), lists)).toEqual(texts.flatMap((text) => JSON.parse(text)));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('refuses what JSON.parse refuses', () => {
    const text = fc.tuple(
      document,
      fc.nat(),
      fc.constantFrom('', ',', '}', '{', '[', '"', ':', '\n', 'x', '\\', '\f'),
    );
    fc.assert(
      fc.property(text, fc.constantFrom(NO_LISTS, LISTS), ([value, place, put], lists) => {
        const good = JSON.stringify(value, null, 1);
        const at = place % (good.length + 1);
        const bad = `{"a": [${good.slice(0, at)}${put}${good.slice(at + 1)}]}`;
        let valid = true;
        try {
          JSON.parse(bad);
        } catch {
          valid = false;
        }
        const { line, reason } = faultOf(bad, lists);
        expect({ bad, valid: reason === 'none' }).toEqual({ bad, valid });
        if (!valid) expect(line).toBeLessThanOrEqual(bad.split('\n').length);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['{"a": 1}\n{"a": 2,}', 2, "Expected a name in double quotes, found '}'"],
    ['{\n "a": 1\n "b": 2\n}', 3, "Expected ',' or '}', found '\"'"],
    ['{"x": {\n\n "a": [1 2]}}', 3, "Expected ',' or ']', found '2'"],
    ['{"a": tru}', 1, 'Expected a value, found "tru"'],
    ['{"a": 01}', 1, 'Expected a value, found "01"'],
    ['<html>', 1, 'Expected a value, found "<html>"'],
    ['{"a": [{"b": "c\n"}]}', 1, `Expected '"', found byte 0x0a in a string`],
    ['{"a": "\\x"}', 1, 'Bad escaped character in the string "\\x"'],
    ['{}\n}', 2, "Expected a value, found '}'"],
    ['{}\n{"a": [1,\n2', 3, 'the file ends within a value that began in line 2'],
    ['{"a": "b', 1, 'the file ends within a value that began in line 1'],
    ['{"a" 1}', 1, "Expected ':', found '1'"],
    ['{"a": 1]', 1, "Expected ',' or '}', found ']'"],
  ])('names line and reason of %j', (text, line, reason) => {
    expect(faultOf(text)).toEqual({ line, reason });
    expect(faultOf(text, LISTS)).toEqual({ line, reason });
  });

  it('gives the line of each part', () => {
    const lines: [string, number][] = [];
    const reader = new JsonReader(LISTS, {
      objectStart: (_list, line) => lines.push(['object', line]),
      listStart: (key, line) => lines.push([key, line]),
      member: (_list, key, _value, line) => lines.push([key, line]),
      element: (_list, _value, line) => lines.push(['element', line]),
      objectEnd: (_list, line) => lines.push(['end', line]),
    });
    reader.push(Buffer.from('\n{"x": {\n\n},\r\n"b": [\n1,\n{\n}]}\n'));
    reader.end();
    expect(lines).toEqual([
      ['object', 2],
      ['x', 2],
      ['b', 5],
      ['element', 6],
      ['element', 7],
      ['end', 8],
    ]);
  });

  it('refuses to hold a value that is larger than any span', () => {
    const reader = new JsonReader(LISTS, new Rebuilt());
    reader.push(Buffer.from('{\n"x": ["'));
    const piece = Buffer.alloc(1024 * 1024, 'x');
    expect(() => {
      for (let pieces = 0; pieces < 100; pieces++) reader.push(piece);
    }).toThrow('line 2: a value of more than 64 MB begins here');
  });

  it('reads a thousand levels and a long list without a stack of its own', () => {
    const deep = `${'['.repeat(1000)}${']'.repeat(1000)}`;
    expect(read([Buffer.from(`{"a": [${deep}]}`)], LISTS)).toEqual([{ a: [JSON.parse(deep)] }]);
    expect(faultOf(`{"a": [${'['.repeat(100_000)}`, LISTS)).toEqual({
      line: 1,
      reason: 'the file ends within a value that began in line 1',
    });
  });
});
