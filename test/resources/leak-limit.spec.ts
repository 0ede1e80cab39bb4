import { describe, expect, it } from '@jest/globals';
import { durationInWords } from '../../lib/leaks/leak-words.js';
import { oldGenerationLimit } from '../../lib/leaks/memory-watch.js';

const MB = 2 ** 20;

describe('oldGenerationLimit', () => {
  it.each([
    ['what a flag says', 112 * MB, ['--max-old-space-size=64'], 64],
    ['the last flag', 112 * MB, ['--max-old-space-size=32', '--inspect', '--max_old_space_size=64'], 64],
    ['no more than V8 says', 112 * MB, ['--max-old-space-size=4096'], 112],
    ['what V8 says less the young generation', 4144 * MB, ['--max-semi-space-size=16'], 4096],
    ['half of a very small heap', 60 * MB, [], 30],
    ['V8 alone where a flag says nothing', 4144 * MB, ['--max-old-space-size=0'], 4096],
  ])('is %s', (_, heapSizeLimit, flags, megabytes) => {
    expect(oldGenerationLimit(heapSizeLimit, flags)).toBe(megabytes * MB);
  });
});

describe('durationInWords', () => {
  it.each([
    [0, '0 s'],
    [119_400, '119 s'],
    [120_000, '2 min'],
    [3_540_000, '59 min'],
    [3_600_000, '1 h'],
    [10_200_000, '2 h 50 min'],
    [47.9 * 3_600_000, '47 h 50 min'],
    [48 * 3_600_000, '2 days'],
    [30 * 86_400_000, '30 days'],
  ])('says %d ms as %s', (ms, words) => {
    expect(durationInWords(ms)).toBe(words);
  });
});
