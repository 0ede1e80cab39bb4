import { describe, expect, it } from '@jest/globals';
import { transformSync } from '@swc/core';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { enclosingClass } from '../../lib/code/enclosing-class.js';

const SOURCE = `
import { Injectable, dec } from './dec.js';
export class Plain {
  constructor(private readonly db: unknown) {
    use(db);
  }

  sell(): void {
    use(1);
  }

  static of(): Plain {
    return new Plain(1);
  }

  get total(): number {
    return 1;
  }

  arrow = () => {
    use(2);
  };

  async #hidden() {
    use(this.#hidden);
  }
}

@Injectable()
export class Shop extends Plain {
  constructor() {
    super(1);
  }

  @dec()
  async buy(): Promise<void> {
    const inner = function inner() {
      use(3);
    };
    inner();
    Shop.seen = 1;
  }

  static seen = 0;
}

export const handlers = {
  handle() {
    use(4);
  },
};

export function outer() {
  function nested() {
    use(5);
  }
  nested();
}
function use(_: unknown) {}
`;

const tsc = (): string =>
  transpileModule(SOURCE, {
    compilerOptions: {
      target: ScriptTarget.ES2022,
      module: ModuleKind.CommonJS,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
    },
  }).outputText;
const swc = (minify = false): string =>
  transformSync(SOURCE, {
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
      ...(minify && { minify: { compress: true, mangle: true } }),
    },
    module: { type: 'commonjs' },
    minify,
  }).code;

/** The class by the text of the definition, as V8 names the function. */
const classOf = (text: string, definition: RegExp, name: string): string | undefined => {
  const lines = text.split('\n');
  const line = lines.findIndex((one) => definition.test(one)) + 1;
  expect(line).toBeGreaterThan(0);
  return enclosingClass(lines, line, name);
};

describe.each([
  ['written by hand', () => SOURCE],
  ['compiled by tsc', tsc],
  ['compiled by swc', () => swc()],
])('the class of a method, in what was %s', (_how, compile) => {
  const text = compile();

  it.each<[string, RegExp, string]>([
    ['a method', /^\s+sell\(/, 'sell'],
    ['a static method', /^\s+static of\(/, 'of'],
    ['a getter', /^\s+get total\(/, 'get total'],
    ['a field that holds a function', /^\s+arrow\s*=/, 'arrow'],
    ['a private method', /^\s+async #hidden\(/, '#hidden'],
    ['a constructor, which V8 gives the name of its class', /^\s+constructor\(.*db/, 'Plain'],
  ])('is found for %s', (_what, definition, name) => {
    expect(classOf(text, definition, name)).toBe('Plain');
  });

  it('is found if the class is decorated and refers to itself', () => {
    expect(classOf(text, /^\s+async buy\(/, 'buy')).toBe('Shop');
    expect(classOf(text, /^\s+constructor\(\)/, 'Shop')).toBe('Shop');
  });

  it.each<[string, RegExp, string]>([
    ['a function within a method', /function inner\(/, 'inner'],
    ['a method of an object', /^\s+handle\s*\(/, 'handle'],
    ['a function', /^(export )?function outer\(/, 'outer'],
    ['a function within a function', /^\s+function nested\(/, 'nested'],
  ])('is not found for %s', (_what, definition, name) => {
    expect(classOf(text, definition, name)).toBeUndefined();
  });
});

describe('enclosingClass', () => {
  const method = (head: string, ...between: string[]): string | undefined =>
    enclosingClass([head, ...between, '  sell() {', '  }', '}'], 2 + between.length, 'sell');

  it.each([
    ['class Shop {', 'Shop'],
    ['class Shop{', 'Shop'],
    ['export default class Shop extends Base {', 'Shop'],
    ['export abstract class Shop<T> implements Sells<T> {', 'Shop'],
    ['let Shop = class Shop extends Base {', 'Shop'],
    ['var Shop = class {', 'Shop'],
    ['var Shop = class extends Base {', 'Shop'],
    ['let Shop = Shop_1 = class Shop {', 'Shop'],
    ['let Shop = class Shop { // sells', 'Shop'],
    ['exports.Shop = class extends (0, mixins_1.Base) {', 'Shop'],
    // esbuild, for a class that refers to itself.
    ['var _Shop = class _Shop extends Base {', '_Shop'],
  ])('finds %s', (head, name) => {
    expect(method(head)).toBe(name);
  });

  it.each([
    ['a class without a name', 'export default class extends Base {'],
    ['one that is returned', 'return class extends Base {'],
    ['one that is passed on', 'register(class {'],
    ['a property that is called class', 'const names = { class: {'],
    ['a sentence about a class', '// the class Shop sells'],
    ['an object', 'const Shop = {'],
    ['a function', 'function classOf() {'],
  ])('finds nothing below %s', (_what, head) => {
    expect(method(head)).toBeUndefined();
  });

  it('finds nothing if a line in between is indented less', () => {
    expect(method('class Shop {', '  text = `', 'SELECT 1', '`;')).toBeUndefined();
  });

  it('skips blank lines and other members', () => {
    expect(method('class Shop {', '  buy() {', '    if (x) {', '    }', '  }', '', '\t \t ')).toBe('Shop');
  });

  it('finds nothing in minified code', () => {
    const text = swc(true).split('\n');
    const line = text.findIndex((one) => one.includes('sell(')) + 1;
    expect(line).toBeGreaterThan(0);
    for (const name of ['sell', 'of', 'buy', 'Plain', 'handle', 'outer'])
      expect(enclosingClass(text, line, name)).toBeUndefined();
  });

  it('finds nothing if the text on disk differs', () => {
    const lines = SOURCE.split('\n');
    const line = lines.findIndex((one) => one.includes('sell(')) + 1;
    expect(enclosingClass(lines, line - 1, 'sell')).toBeUndefined();
    expect(enclosingClass(lines, line + 1, 'sell')).toBeUndefined();
    expect(enclosingClass(lines, 10_000, 'sell')).toBeUndefined();
    expect(enclosingClass(lines, 0, 'sell')).toBeUndefined();
    expect(enclosingClass([], 1, 'sell')).toBeUndefined();
  });

  it('does not confuse the constructors of two classes', () => {
    expect(enclosingClass(['class Shop {', '  constructor() {'], 2, 'Other')).toBeUndefined();
  });

  it('searches up to 10,000 lines', () => {
    const far = (lines: number): string | undefined => method('class Shop {', ...Array(lines).fill('    x;'));
    expect(far(9_990)).toBe('Shop');
    expect(far(10_001)).toBeUndefined();
  });
});
