import { describe, expect, it } from '@jest/globals';
import { MemoryBudget } from '../../lib/overhead/memory-budget.js';

const MB = 1024 * 1024;

class Buffer {
  readonly limits: string[] = [];
  constructor(
    readonly name: string,
    public held: number,
    private readonly isReducible = true,
  ) {}
  bytes = (): number => this.held;
  entries = (): number => this.held / MB;
  get shrink(): (() => void) | undefined {
    return this.isReducible ? this.halve : undefined;
  }
  private readonly halve = (): void => {
    this.held /= 2;
  };
  restore = (): void => void this.limits.push('restored');
}

describe('the budget of memory', () => {
  it('reports each part, and leaves all alone within the budget', () => {
    const budget = new MemoryBudget(10 * MB, [new Buffer('profiles', 4 * MB), new Buffer('queries', MB)]);
    expect(budget.step()).toBeUndefined();
    expect(budget.status()).toEqual({
      bytes: 5 * MB,
      byPart: {
        profiles: { bytes: 4 * MB, entries: 4, reduced: false },
        queries: { bytes: MB, entries: 1, reduced: false },
      },
    });
  });

  it('halves the largest that can be reduced, until all are within the budget, and says so once', () => {
    const statistics = new Buffer('operations', 8 * MB, false);
    const profiles = new Buffer('profiles', 8 * MB);
    const budget = new MemoryBudget(10 * MB, [statistics, profiles, new Buffer('waterfalls', MB)]);
    expect(budget.step()).toEqual({ part: 'profiles', state: 'reduced', bytes: 17 * MB });
    expect(budget.step()).toBeUndefined();
    expect(budget.step()).toBeUndefined();
    expect(profiles.held).toBe(MB);
    expect(statistics.held).toBe(8 * MB);
    expect(budget.step()).toBeUndefined();
    expect(profiles.held).toBe(MB);
    expect(budget.shed).toEqual(['profiles']);
    expect(budget.status().byPart['profiles']?.reduced).toBe(true);
  });

  it('restores the limit after two steps with room', () => {
    const profiles = new Buffer('profiles', 8 * MB);
    const budget = new MemoryBudget(5 * MB, [profiles]);
    budget.step();
    expect(budget.step()).toBeUndefined();
    profiles.held = MB;
    expect(budget.step()).toBeUndefined();
    expect(budget.step()).toEqual({ part: 'profiles', state: 'restored', bytes: MB });
    expect(profiles.limits).toEqual(['restored']);
    expect(budget.shed).toEqual([]);
  });

  it('changes nothing where nothing can be reduced', () => {
    const budget = new MemoryBudget(MB, [
      new Buffer('operations', 8 * MB, false),
      new Buffer('findings', 1000),
    ]);
    expect(budget.step()).toBeUndefined();
    expect(budget.shed).toEqual([]);
  });
});
