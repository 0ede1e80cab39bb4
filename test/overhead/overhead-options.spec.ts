import { describe, expect, it } from '@jest/globals';
import { resolveOptions } from '../../lib/monitor/resolve-options.js';

describe('the options of the own cost', () => {
  it('have defaults', () => {
    expect(resolveOptions().overhead).toEqual({ maxCpuPercent: 3, maxMemoryMb: 64, windowSeconds: 60 });
  });

  it.each([
    [
      { maxCpuPercent: -1 },
      'Invalid overhead.maxCpuPercent: received -1, expected a number from 0.01 to 100',
    ],
    [
      { maxMemoryMb: Number.NaN },
      'Invalid overhead.maxMemoryMb: received NaN, expected a number from 0.1 to 10000',
    ],
  ])('refuse invalid values: %j', (overhead, message) => {
    expect(() => resolveOptions({ overhead })).toThrow(message);
  });
});
