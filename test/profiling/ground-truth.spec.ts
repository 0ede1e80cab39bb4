import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { GUILTY_CASES } from './suite/cases.js';
import { isLineOf, judge, observe, provoke } from './suite/observe.js';
import { type GuiltyApp, startGuiltyApp } from './suite/processes.js';

// What is promised is a share of right answers (`npm run bench:profiles` counts it), not one for every single request
// of a machine that others use as well: a function that is missed three times in a row is not found.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

describe('the hot function', () => {
  let app: GuiltyApp | undefined;
  beforeAll(async () => {
    app = await startGuiltyApp({ SAMPLER: 'inspector' });
    for (const one of GUILTY_CASES) await provoke(app.url, one);
  }, 120_000);
  afterAll(async () => {
    await app?.stop();
  });

  it.each(GUILTY_CASES.map((one) => [one.name, one.guilty, one] as const))(
    '%s: %s is first by self time',
    async (_name, guilty, one) => {
      if (app === undefined) throw new Error('The application is not there');
      const seen = await observe(app.url, app.directory, one);
      const { topFunctions, explanation, profile, cause, callSite } = seen.slow ?? {};
      const result = { topFunctions, explanation, inFile: seen.inFile.slice(0, 3) };
      expect({ ...result, verdict: judge(one, seen) }).toEqual({
        ...result,
        verdict: { first: true, line: true, neighbour: false },
      });
      expect(explanation).toContain(guilty);
      expect(profile).toBeDefined();
      if (one.calls === undefined && cause === 'cpu')
        expect({ explanation, callSite, verdict: isLineOf(guilty, callSite) }).toEqual({
          explanation,
          callSite,
          verdict: true,
        });
      // V8's own work within Node's has names of its own.
      if (one.calls === undefined) expect(result.inFile[0]).toBe(guilty);
    },
  );
});
