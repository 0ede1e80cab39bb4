// Prometheus with its rules, and Alertmanager, as compose.yaml starts them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argumentsOf, configure, deployed } from './deploy-files.mjs';
import { answers, freePort } from './processes.mjs';
import { withWebhook } from './webhook.mjs';

const RULES = ['recording.rules.yml', 'alerting.rules.yml'];

/**
 * @param {(text: string) => string} [change] of the configuration
 * @returns its address, `HOST:PORT`
 */
export async function startAlertmanager(
  run,
  program,
  webhook,
  { name = 'alertmanager', change = same } = {},
) {
  const address = `127.0.0.1:${await freePort()}`;
  const folder = run.folderOf(name);
  // It has no addresses of its own.
  const file = configure('alertmanager/alertmanager.yml', {}, folder, (text) =>
    change(withWebhook(text, webhook.url)),
  );
  const paths = { '/etc/alertmanager/alertmanager.yml': file, '=/alertmanager': `=${join(folder, 'data')}` };
  const process = await run.start(
    name,
    program,
    [...argumentsOf('alertmanager', paths), `--web.listen-address=${address}`, '--cluster.listen-address='],
    { ready: () => answers(`http://${address}/-/ready`) },
  );
  return { process, address };
}

/**
 * @param {{ targets: string[], token: string, alertmanager: string, address: string }} addresses `HOST:PORT` each;
 *   `address` of Prometheus itself
 * @param {(text: string) => string} [change] of the configuration and the rules
 */
export async function startPrometheus(run, program, addresses, { name = 'prometheus', change = same } = {}) {
  const { targets, token, alertmanager, address } = addresses;
  const folder = run.folderOf(name);
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, token);
  const data = join(folder, 'data');
  mkdirSync(data);
  const replacements = {
    'alertmanager:9093': alertmanager,
    'music-store:3000': targets.join('", "'),
    'localhost:9090': address,
    '/run/secrets/performance_token': tokenFile,
  };
  const file = configure('prometheus/prometheus.yml', replacements, folder, change);
  for (const rules of RULES) writeFileSync(join(folder, rules), change(deployed(`prometheus/${rules}`)));
  const paths = { '/etc/prometheus/prometheus.yml': file, '=/prometheus': `=${data}` };
  const process = await run.start(
    name,
    program,
    [...argumentsOf('prometheus', paths), `--web.listen-address=${address}`],
    { ready: () => answers(`http://${address}/-/ready`), cwd: folder },
  );
  return { ...client(`http://${address}`), process, address };
}

function same(text) {
  return text;
}

function client(url) {
  const get = async (path, parameters = {}) => {
    const response = await fetch(`${url}/api/v1/${path}`, {
      method: path.startsWith('query') ? 'POST' : 'GET',
      ...(path.startsWith('query') ? { body: new URLSearchParams(parameters) } : {}),
    });
    const { status, data, error } = await response.json();
    if (status !== 'success') throw new Error(`Prometheus: ${error}`);
    return data;
  };
  return {
    url,
    /** The result of an instant query: `{ metric, value }`. */
    async query(query) {
      const { result } = await get('query', { query });
      return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    /** The exemplars of the last hour: `{ labels, value, timestamp }`. */
    async exemplars(query) {
      const now = Date.now() / 1000;
      const series = await get('query_exemplars', {
        query,
        start: String(now - 3600),
        end: String(now + 60),
      });
      return series.flatMap(({ exemplars }) =>
        exemplars.map((one) => ({ ...one, value: Number(one.value) })),
      );
    },
    targets: async () => (await get('targets')).activeTargets,
    rules: async () => (await get('rules')).groups.flatMap(({ rules }) => rules),
  };
}
