// Rules and routes as they are, with every duration divided by the same number: what takes an hour takes a minute.

const SECONDS = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };
/** The range of a selector, or the value of a field. Values of labels are quoted and remain. */
const DURATION = /(?<=\[)(\d+)(ms|[smhd])(?=\])|(?<=^\s*(?:- )?\w+: )(\d+)(ms|[smhd])(?=\s*(?:#.*)?$)/gm;

/**
 * @param {string} text PromQL in YAML, or the configuration of Prometheus or Alertmanager
 * @param {number} divisor
 * @throws Error if it has no duration
 */
export function divideDurations(text, divisor) {
  let found = 0;
  const divided = text.replace(DURATION, (_, range, rangeUnit, field, fieldUnit) => {
    found++;
    const seconds = Number(range ?? field) * SECONDS[rangeUnit ?? fieldUnit];
    return `${Math.max(1, Math.round((seconds * 1000) / divisor))}ms`;
  });
  if (found === 0) throw new Error('Nothing to divide: there is no duration');
  return divided;
}
