// Prometheus scrapes all instances, and every expression of the dashboards and rules has an answer.
import { assert, eventually } from '../results.mjs';

/** Two evaluations of rules over rates, after two scrapes. */
const RECORDED_MS = 240_000;
/** Needs hours of an application: asked of the simulated instance. */
const HOURS = /performance_baseline_ratio/;

export function checkTargets(results, { prometheus, count }) {
  return results.check(`all ${count} instances are scraped`, async () => {
    await eventually(
      'all targets up',
      async () => {
        const targets = (await prometheus.targets()).filter(({ labels }) => labels.job !== 'prometheus');
        assert(targets.length === count, `${targets.length} targets`);
        const bad = targets.find(({ health, lastError }) => health !== 'up' || lastError !== '');
        assert(bad === undefined, () => `${bad.scrapeUrl} is ${bad.health}: ${bad.lastError}`);
        return true;
      },
      { timeoutMs: 90_000, everyMs: 1000 },
    );
  });
}

export async function checkRules(results, { prometheus, simulated }) {
  await results.check('every rule is evaluated without an error', async () => {
    const rules = await eventually(
      'all rules evaluated',
      async () => {
        const all = await prometheus.rules();
        return all.length > 0 && all.every(({ health }) => health !== 'unknown') && all;
      },
      { timeoutMs: RECORDED_MS, everyMs: 2000 },
    );
    const bad = rules.find(({ health }) => health !== 'ok');
    assert(bad === undefined, () => `${bad.name}: ${bad.lastError}`);
    return `${rules.length} rules`;
  });
  const recorded = (await prometheus.rules())
    .filter(({ type }) => type === 'recording')
    .map(({ name }) => name);
  await results.check('every recording rule records something', async () => {
    const missing = new Set(recorded);
    await eventually(
      'all recorded',
      async () => {
        for (const name of missing) {
          const source = HOURS.test(name) ? simulated : prometheus;
          if ((await source.query(name)).length > 0) missing.delete(name);
        }
        return missing.size === 0;
      },
      { timeoutMs: RECORDED_MS, everyMs: 3000 },
    ).catch((error) => {
      throw new Error(`${error.message}: ${[...missing].join(', ')}`);
    });
    return `${recorded.length} rules`;
  });
}

/** @param {{ where: string, promql: string }[]} queries */
export async function checkPromQl(results, { prometheus, simulated, queries }) {
  for (const { where, promql } of queries) {
    const source = HOURS.test(promql) ? simulated : prometheus;
    await results.check(`${where} has data`, async () => {
      const rows = await eventually(
        'any data',
        async () => {
          const found = await source.query(promql);
          return found.length > 0 && found;
        },
        { timeoutMs: 60_000, everyMs: 2000 },
      ).catch((error) => {
        throw new Error(`${error.message}: ${promql}`);
      });
      return `${rows.length} series${source === simulated ? ' of the simulated instance' : ''}`;
    });
  }
}
