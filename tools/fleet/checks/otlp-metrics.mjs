// Metrics by OTLP, through the Collector to Prometheus, have the names and labels of those that Prometheus scrapes.
import { assert, eventually } from '../results.mjs';

const ARRIVED_MS = 120_000;
/** Not part of OTLP: written by Prometheus about a scrape. */
const OF_SCRAPES = /^(?:up|scrape_\w+|ALERTS\w*|.*:.*)$/;

/** Of the resource in OTLP, and of no use in a scrape. */
const OF_SDK = /^telemetry_sdk_/;

/** @param {{ prometheus: object, pushing: object, scraped: object[] }} parts instances of the application */
export function checkPushedMetrics(results, { prometheus, pushing, scraped }) {
  const of = async (selector) => {
    const rows = await prometheus.query(selector);
    const names = new Map();
    for (const { metric } of rows) {
      if (OF_SCRAPES.test(metric.__name__)) continue;
      const labels = names.get(metric.__name__) ?? new Set();
      for (const label of Object.keys(metric)) labels.add(label);
      names.set(metric.__name__, labels);
    }
    return names;
  };
  return results.check('metrics by OTLP have the names and labels of scraped ones', async () => {
    const instances = scraped.map(({ address }) => address).join('|');
    const expected = await of(`{job="music-store",instance=~"${instances}"}`);
    const got = await eventually(
      'metrics of the instance that pushes',
      async () => {
        const names = await of(`{job="music-store",instance="${pushing.name}"}`);
        return names.has('http_server_request_duration_seconds_bucket') && names;
      },
      { timeoutMs: ARRIVED_MS, everyMs: 2000 },
    );
    const unknown = [...got.keys()].filter((name) => !expected.has(name));
    assert(unknown.length === 0, `Only by OTLP: ${unknown.join(', ')}`);
    for (const [name, labels] of got) {
      const other = [...labels].filter(
        (label) => !expected.get(name).has(label) && !(name === 'target_info' && OF_SDK.test(label)),
      );
      assert(other.length === 0, `${name} has other labels by OTLP: ${other.join(', ')}`);
    }
    assert(got.size > expected.size / 2, `Only ${got.size} of ${expected.size} names`);
    return `${got.size} of ${expected.size} names`;
  });
}
