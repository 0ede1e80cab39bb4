// The cost of a fleet for a real Prometheus: simulated instances in one process expose the metrics of one real instance.
// Usage: node bench/fleet.mjs [INSTANCES,INSTANCES...] [SECONDS]
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { gzipSync } from 'node:zlib';
import { startPrometheus } from './fleet/prometheus.mjs';
import { median, print, table } from './support/figures.mjs';
import { answer, start, stop } from './support/processes.mjs';

const SIZES = (process.argv[2] ?? '25,50').split(',').map(Number);
const SECONDS = Number(process.argv[3] ?? 120);
const WARM_UP_SECONDS = 45;
const REQUESTS = 8000;
const QUERY_ROUNDS = 3;
/** The number of panels that are listed. */
const SLOWEST = 8;
const MB = 2 ** 20;

/** Runs one real instance under load. @returns its metrics, and the size of its spans and metrics in OTLP */
async function observeInstance(histograms) {
  const receiver = start('http/receiver.mjs', ['spans']);
  const service = start('fleet/service.mjs', [await answer(receiver), histograms]);
  const { url, routes } = await answer(service);
  for (let n = 0; n < REQUESTS; n += 8) {
    await Promise.all(
      Array.from({ length: 8 }, async (_, i) => {
        const response = await fetch(
          `${url}/things-${(n + i) % routes}/${n}?n=${Math.floor((n + i) / routes)}`,
        );
        await response.arrayBuffer();
      }),
    );
  }
  const headers = { accept: 'application/openmetrics-text; version=1.0.0' };
  const text = await (await fetch(`${url}/performance/metrics`, { headers })).text();
  service.send('');
  await answer(service);
  receiver.send('');
  const { spans, bytes, metricBytes } = await answer(receiver);
  await stop(service);
  await stop(receiver);
  return { text, spans, bytes, metricBytes };
}

async function seconds(count) {
  await new Promise((resolve) => setTimeout(resolve, count * 1000));
}

async function measure(text, count, withRules) {
  const instances = start('fleet/instances.mjs');
  instances.send({ text, count });
  const port = await answer(instances);
  const prometheus = await startPrometheus({ port, count, withRules });
  try {
    // Only the first scrapes create series.
    await seconds(WARM_UP_SECONDS);
    const before = await prometheus.itself();
    await seconds(SECONDS);
    const after = await prometheus.itself();
    const per = (name) => (after[name] - before[name]) / SECONDS;
    const scrapes = await prometheus.query('quantile(0.5, scrape_duration_seconds)');
    return {
      count,
      withRules,
      series: after.prometheus_tsdb_head_series,
      samples: per('prometheus_tsdb_head_samples_appended_total'),
      rssMb: after.process_resident_memory_bytes / MB,
      cores: per('process_cpu_seconds_total'),
      scrapeMs: Number(scrapes[0].value[1]) * 1000,
      rulesSeconds: await prometheus.rulesSeconds(),
      panels: withRules ? await panels(prometheus) : [],
    };
  } finally {
    await prometheus.stop();
    await stop(instances);
  }
}

/** The slowest panels of the dashboards, with and without recording rules. */
async function panels(prometheus) {
  const recorded = await prometheus.recorded();
  const all = expressions().map(({ title, expression }) => ({
    title,
    asIs: { expression, times: [] },
    raw: { expression: withoutRules(expression, recorded), times: [] },
  }));
  const time = async (query) => query.times.push(await prometheus.panelMs(query.expression));
  for (const { raw } of all) await time(raw);
  const slowest = all.sort((a, b) => b.raw.times[0] - a.raw.times[0]).slice(0, SLOWEST);
  for (let round = 0; round < QUERY_ROUNDS; round++) {
    for (const { asIs, raw } of slowest) {
      await time(asIs);
      await time(raw);
    }
  }
  return slowest.map(({ title, asIs, raw }) => ({
    title,
    asIs: median(asIs.times),
    raw: asIs.expression === raw.expression ? undefined : median(raw.times),
  }));
}

/** An expression with recorded series replaced by the expressions of their rules. */
function withoutRules(expression, recorded) {
  const name = Object.keys(recorded).find((rule) => expression.includes(rule));
  if (name === undefined) return expression;
  const selector = new RegExp(`${name}(\\{[^}]*\\})?`);
  return withoutRules(
    expression.replace(selector, () => `(${recorded[name]})`),
    recorded,
  );
}

function expressions() {
  const folder = new URL('../deploy/grafana/dashboards/', import.meta.url);
  return readdirSync(folder).flatMap((file) =>
    JSON.parse(readFileSync(new URL(file, folder), 'utf8')).panels.flatMap(({ title, targets = [] }) =>
      targets.flatMap(({ expr }) => {
        if (expr === undefined) return [];
        const expression = expr
          .replaceAll('$service', 'fleet')
          .replace(/\$(?:instance|type)/g, '.*')
          .replaceAll('$__rate_interval', '1m')
          .replaceAll('$__range', '1h');
        return [{ title: `${file.replace('.json', '')}: ${title}`, expression }];
      }),
    ),
  );
}

const { text, spans, bytes, metricBytes } = await observeInstance('exponential');
const explicit = await observeInstance('explicit');
const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
print(
  `${availableParallelism()} cores. One instance: ${lines.length} series, ${text.length} bytes per scrape,`,
);
print(
  `${gzipSync(text).length} bytes with gzip. A span (of ${spans}) takes ${(bytes / spans).toFixed(0)} bytes of OTLP.`,
);
print(
  `An export of all metrics: ${metricBytes} bytes with exponential histograms, ${explicit.metricBytes} bytes with explicit ones.`,
);

const results = [];
for (const count of SIZES) results.push(await measure(text, count, true));
results.push(await measure(text, Math.max(...SIZES), false));
print('');
table(
  ['instances', 'rules', 'series', 'samples/s', 'RSS MB', 'bytes/series', 'cores', 'scrape ms', 'rules s'],
  results.map(({ count, withRules, series, samples, rssMb, cores, scrapeMs, rulesSeconds }) => [
    String(count),
    withRules ? 'yes' : 'no',
    String(series),
    samples.toFixed(0),
    rssMb.toFixed(0),
    ((rssMb * MB) / series).toFixed(0),
    cores.toFixed(2),
    scrapeMs.toFixed(1),
    rulesSeconds.toFixed(2),
  ]),
);
for (const { count, panels: times } of results.filter(({ withRules }) => withRules)) {
  print(`\nMilliseconds for 61 points of the slowest panels, with ${count} instances:\n`);
  table(
    ['panel', 'with recording rules', 'without recording rules'],
    times.map(({ title, asIs, raw }) => [title, asIs.toFixed(0), raw?.toFixed(0) ?? '(the same)']),
  );
}
