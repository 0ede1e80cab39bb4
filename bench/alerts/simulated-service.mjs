// A service with one objective, in simulated time: and the alerts of its rules at a known error rate.
import { AlertEvaluator } from '../../dist/modules/alerting/alert-evaluator.js';
import { burnRateRules } from '../../dist/modules/alerting/burn-rate-rules.js';
import { SloCounters } from '../../dist/modules/alerting/slo-counters.js';
import { Random } from '../regressions/random.mjs';

const MINUTE_MS = 60_000;
const START = Date.UTC(2026, 0, 1);

/**
 * Simulates minute by minute, with random requests.
 * @param perHour requests per hour
 * @param badAt the error rate by minute
 * @returns every alert, with the minute since the start
 */
export function simulate({ seed, perHour, minutes, badAt, objective = 0.999 }) {
  const random = new Random(seed);
  const slos = [{ operation: 'GET /orders', objective }];
  const counters = new SloCounters(slos);
  const alerts = [];
  let minute = 0;
  const rules = burnRateRules(slos, { burnRates: (now) => counters.burnRates(now) });
  const evaluator = new AlertEvaluator(rules, ({ rule, state, severity }) =>
    alerts.push({ rule, state, severity, minute }),
  );
  for (; minute < minutes; minute++) {
    const bad = badAt(minute);
    for (let left = random.poisson(perHour / 60); left > 0; left--) {
      counters.record('GET /orders', 1, random.uniform() < bad);
    }
    evaluator.evaluate(START + minute * MINUTE_MS);
  }
  return alerts;
}

/** The alerts that would page somebody. */
export const pages = (alerts) =>
  alerts.filter(({ state, severity }) => state === 'firing' && severity === 'critical');
