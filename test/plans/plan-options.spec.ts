import { describe, expect, it } from '@jest/globals';
import { resolveOptions } from '../../lib/monitor/resolve-options.js';

const query = (): unknown => [];
const resolve = (plans: unknown) =>
  resolveOptions({ detection: { plans: plans as { query: typeof query } } });

describe('detection.plans', () => {
  it('is off by default', () => {
    expect(resolveOptions().detection.plans).toBeUndefined();
    expect(resolve(undefined).detection.plans).toBeUndefined();
  });

  it('has defaults beside its function', () => {
    expect(resolve({ query }).detection.plans).toEqual({
      query,
      timeoutMs: 2000,
      intervalMs: 1000,
      maxPlans: 200,
    });
  });

  it.each([
    [
      { query: 'SELECT 1' },
      'Invalid detection.plans.query: received "SELECT 1", expected a function that runs one statement',
    ],
    [
      { query: null },
      'Invalid detection.plans.query: received null, expected a function that runs one statement',
    ],
    [{}, 'Invalid detection.plans.query: received undefined, expected a function that runs one statement'],
    [
      { query, timeoutMs: 0 },
      'Invalid detection.plans.timeoutMs: received 0, expected a whole number from 10 to 60000',
    ],
    [
      { query, intervalMs: '1s' },
      'Invalid detection.plans.intervalMs: received "1s", expected a whole number from 10 to 3600000',
    ],
    [
      { query, maxPlans: 1e9 },
      'Invalid detection.plans.maxPlans: received 1000000000, expected a whole number from 1 to 10000',
    ],
    [
      true,
      'Invalid detection.plans: received true, expected an object with query, timeoutMs, intervalMs, maxPlans',
    ],
  ])('refuses %j', (plans, message) => {
    expect(() => resolve(plans)).toThrow(message);
  });
});
