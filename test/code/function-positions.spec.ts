import { describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { positionsOf } from '../../lib/code/function-positions.js';

class Local {
  readonly value = 1;
  static get never(): never {
    throw new Error('a getter ran');
  }
}
class WithoutConstructor extends Local {}

describe('positionsOf', () => {
  it('finds the files of classes and functions, of the application and of packages', () => {
    const positions = positionsOf([Local, WithoutConstructor, () => 1, Logger]);
    for (const position of positions.slice(0, 3))
      expect(position?.url).toMatch(/function-positions\.spec\.ts$/);
    expect(positions[3]?.url).toMatch(/node_modules\/@nestjs\/common\//);
  });

  it('knows none of functions without a script', () => {
    expect(positionsOf([Map, (() => 1).bind(null), new Proxy(class {}, {})] as never)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('keeps nothing of them', async () => {
    const located = positionsOf([Local]);
    expect(located).toHaveLength(1);
    expect(positionsOf([])).toEqual([]);
  });
});
