import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { CASES } from './suite/cases.js';
import { judge } from './suite/judge.js';
import { type Observation, observe, warmUp } from './suite/observe.js';
import { startApp, startParts } from './suite/processes.js';

// The promise is a share of right answers (`npm run bench:causes` counts it), not a right answer for every request on a
// shared machine: a cause counts as missed after three attempts.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

describe('causes that are built into an application', () => {
  let parts: Awaited<ReturnType<typeof startParts>> | undefined;
  let app: Awaited<ReturnType<typeof startApp>> | undefined;

  beforeAll(async () => {
    parts = await startParts();
    app = await startApp(parts.env);
    // The first requests warm up compilers and caches. They are a separate case.
    for (const one of CASES) await warmUp(app.url, one);
  }, 180_000);
  afterAll(async () => {
    await app?.stop();
    await parts?.stop();
  });

  const see = (one: (typeof CASES)[number]): Promise<Observation> => {
    if (app === undefined || parts === undefined) throw new Error('The application is not there');
    return observe(app.url, parts.env, one);
  };

  it.each(CASES.filter(({ kind }) => kind === 'pathology').map((one) => [one.name, one.cause, one] as const))(
    '%s is put down to %s',
    async (_name, cause, one) => {
      const observation = await see(one);
      const verdict = judge(one, observation);
      const because = observation.slow?.explanation;
      expect({ because, said: verdict.said }).toEqual({ because, said: cause });
      expect(verdict.faults).toEqual([]);
      expect({ because, finding: verdict.finding }).not.toEqual({ because, finding: false });
      expect({ because, says: verdict.explanation }).not.toEqual({ because, says: false });
      if (one.site !== undefined && (cause === 'n_plus_one' || cause === 'cpu')) {
        const { callSite } = observation.slow ?? {};
        expect({ callSite, site: verdict.site }).toEqual({ callSite, site: 'right' });
      }
    },
  );

  it.each(CASES.filter(({ kind }) => kind === 'control').map((one) => [one.name, one] as const))(
    '%s: nothing is found',
    async (_name, one) => {
      const observation = await see(one);
      const verdict = judge(one, observation);
      expect(verdict.falseFindings).toEqual([]);
      expect(verdict.faults).toEqual([]);
      const because = observation.slow?.explanation;
      expect({ because, said: verdict.said }).toEqual({ because, said: one.cause ?? verdict.said });
    },
  );
});
