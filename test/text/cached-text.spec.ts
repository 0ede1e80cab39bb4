import { describe, expect, it } from '@jest/globals';
import { cachedByText } from '../../lib/text/cached-text.js';

function counting(limits?: { capacity: number; maxText: number }) {
  const computed: string[] = [];
  const cached = cachedByText((text) => {
    computed.push(text);
    return text.toUpperCase();
  }, limits);
  return { cached, computed };
}

const texts = (count: number): string[] => Array.from({ length: count }, (_, index) => `text ${index}`);

describe('a function that is cached by its text', () => {
  it('computes once for each of as many texts as half its capacity, however often they come', () => {
    const { cached, computed } = counting({ capacity: 8, maxText: 10 });
    for (let round = 0; round < 5; round++)
      for (const text of texts(4)) expect(cached(text)).toBe(text.toUpperCase());
    expect(computed).toEqual(texts(4));
  });

  it('forgets what has not come for as many others', () => {
    const { cached, computed } = counting({ capacity: 8, maxText: 10 });
    for (const text of [...texts(9), 'text 0']) cached(text);
    expect(computed).toEqual([...texts(9), 'text 0']);
  });

  it('keeps what comes again', () => {
    const { cached, computed } = counting({ capacity: 8, maxText: 10 });
    for (const text of texts(20)) {
      cached(text);
      cached('text 0');
    }
    expect(computed).toEqual(texts(20));
  });

  it('keeps no longer texts', () => {
    const { cached, computed } = counting({ capacity: 8, maxText: 10 });
    for (let time = 0; time < 3; time++) cached('a longer text');
    expect(computed).toHaveLength(3);
  });

  it('has 1,000 texts of 1,000 characters by default', () => {
    const { cached, computed } = counting();
    for (let round = 0; round < 2; round++) for (const text of texts(500)) cached(text);
    cached('x'.repeat(1000));
    cached('x'.repeat(1000));
    expect(computed).toHaveLength(501);
  });
});
