import { describe, expect, it } from '@jest/globals';
import { Ladder } from '../../lib/overhead/ladder.js';

describe('the ladder', () => {
  it('pauses nothing within the budget', () => {
    const ladder = new Ladder(3);
    for (let step = 0; step < 10; step++) expect(ladder.step(3, { explaining: 2 })).toBeUndefined();
    expect(ladder.shed).toEqual([]);
  });

  it('pauses the dearest part first, one in each window', () => {
    const ladder = new Ladder(3);
    const parts = { values: 0.5, explaining: 2, providers: 1 };
    expect(ladder.step(5, parts)).toEqual({ part: 'explaining', state: 'paused' });
    expect(ladder.step(4, parts)).toEqual({ part: 'providers', state: 'paused' });
    expect(ladder.shed).toEqual(['explaining', 'providers']);
  });

  it('follows the documented order among parts that cost the same', () => {
    const ladder = new Ladder(1);
    const parts = { attribution: 1, profiling: 1, waterfall: 1, values: 1, explaining: 1, providers: 1 };
    for (let step = 0; step < 6; step++) ladder.step(9, parts);
    expect(ladder.shed).toEqual([
      'attribution',
      'profiling',
      'waterfall',
      'values',
      'explaining',
      'providers',
    ]);
  });

  it('pauses no part that costs nothing, and reports once that nothing is left', () => {
    const ladder = new Ladder(1);
    expect(ladder.step(5, { waterfall: 0, values: 0.1 })).toEqual({ part: 'values', state: 'paused' });
    expect(ladder.step(5, { waterfall: 0, values: 0.1 })).toBe('exhausted');
    expect(ladder.step(5, {})).toBeUndefined();
    ladder.step(1, {});
    expect(ladder.step(5, {})).toBe('exhausted');
  });

  it('resumes the last one that paused, after two windows with room for it', () => {
    const ladder = new Ladder(3);
    const parts = { explaining: 2, waterfall: 1 };
    ladder.step(5, parts);
    ladder.step(4, parts);
    expect(ladder.step(1, {})).toBeUndefined();
    expect(ladder.step(1, {})).toEqual({ part: 'waterfall', state: 'resumed' });
    expect(ladder.step(1, {})).toBeUndefined();
    expect(ladder.step(1, {})).toEqual({ part: 'explaining', state: 'resumed' });
    expect(ladder.shed).toEqual([]);
  });

  it('does not resume a part that would exceed the budget again', () => {
    const ladder = new Ladder(3);
    // Half of the cost: with it, the rest of 1 would cost 2, which is above 60 % of 3.
    ladder.step(8, { explaining: 4 });
    for (let step = 0; step < 10; step++) expect(ladder.step(1, {})).toBeUndefined();
    ladder.step(0.8, {});
    expect(ladder.step(0.8, {})).toEqual({ part: 'explaining', state: 'resumed' });
  });

  it('waits again after a window without room', () => {
    const ladder = new Ladder(3);
    ladder.step(8, { explaining: 4 });
    ladder.step(0.5, {});
    ladder.step(2.5, {});
    expect(ladder.step(0.5, {})).toBeUndefined();
    expect(ladder.step(0.5, {})).toEqual({ part: 'explaining', state: 'resumed' });
  });
});
