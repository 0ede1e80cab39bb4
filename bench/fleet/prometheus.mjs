// A Prometheus server, with or without the rules of the repository.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stop } from '../support/processes.mjs';

const RULES = ['recording', 'alerting'].map((name) =>
  fileURLToPath(new URL(`../../deploy/prometheus/${name}.rules.yml`, import.meta.url)),
);

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Scrapes COUNT instances at PORT as deploy/prometheus/prometheus.yml does. JSON is YAML. */
function configuration({ port, count, withRules }) {
  return JSON.stringify({
    global: { scrape_interval: '15s', evaluation_interval: '1m' },
    rule_files: withRules ? RULES : [],
    scrape_configs: [
      {
        job_name: 'fleet',
        static_configs: Array.from({ length: count }, (_, instance) => ({
          targets: [`127.0.0.1:${port}`],
          labels: { instance: `fleet-${instance}`, __metrics_path__: `/${instance}` },
        })),
      },
    ],
  });
}

export async function startPrometheus(setup) {
  const folder = mkdtempSync(join(tmpdir(), 'fleet-'));
  const file = join(folder, 'prometheus.yml');
  writeFileSync(file, configuration(setup));
  const port = await freePort();
  const child = spawn('prometheus', [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--enable-feature=exemplar-storage',
    '--log.level=error',
  ]);
  const url = `http://127.0.0.1:${port}`;
  for (let ready = false; !ready; ) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    ready = await fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  }
  const get = async (path, parameters = {}) => {
    const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const { data, error } = await response.json();
    if (error !== undefined) throw new Error(error);
    return data;
  };
  return {
    /** Its own metrics by name: the sum over all labels. */
    async itself() {
      const text = await (await fetch(`${url}/metrics`)).text();
      const sums = {};
      for (const [, name, value] of text.matchAll(/^(\w+)(?:\{.*\})? (\S+)$/gm)) {
        sums[name] = (sums[name] ?? 0) + Number(value);
      }
      return sums;
    },
    query: async (query) => (await get('query', { query })).result,
    /** Milliseconds of a query as a panel sends it: 61 points of the last two minutes. */
    async panelMs(query) {
      const end = Date.now() / 1000;
      const begun = performance.now();
      await get('query_range', { query, start: end - 120, end, step: 2 });
      return performance.now() - begun;
    },
    /** The recording rules: name and expression. */
    async recorded() {
      const { groups } = await get('rules', { type: 'record' });
      return Object.fromEntries(groups.flatMap(({ rules }) => rules.map(({ name, query }) => [name, query])));
    },
    /** Seconds of the last evaluation of all groups of rules. */
    async rulesSeconds() {
      const { groups } = await get('rules');
      return groups.reduce((sum, { evaluationTime }) => sum + evaluationTime, 0);
    },
    async stop() {
      await stop(child);
      rmSync(folder, { recursive: true });
    },
  };
}
