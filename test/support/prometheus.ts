import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { end } from './child-app.js';

/** One series of a query result. */
export interface PrometheusSample {
  metric: Record<string, string>;
  value: number;
}

/** One exemplar of a series. */
export interface PrometheusExemplar {
  labels: Record<string, string>;
  value: number;
  timestamp: number;
}

/** What a server scrapes, and its configuration. */
export interface PrometheusSetup {
  /** `HOST:PORT` of the targets, which are scraped each second. */
  targets: string[];
  /** Default `/performance/metrics`. */
  path?: string;
  /** Files of rules. */
  ruleFiles?: string[];
  /** Sent as `Authorization: Bearer TOKEN`. */
  token?: string;
}

/** Whether Prometheus is installed. Prints a line if it is not, so that skipped tests are not mistaken for passed ones. */
export function hasPrometheus(): boolean {
  try {
    execFileSync('prometheus', ['--version'], { stdio: 'ignore' });
    execFileSync('promtool', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    process.stderr.write('skipped: prometheus and promtool are not installed on this machine\n');
    return false;
  }
}

/** A real Prometheus with its own directory, on a free port. */
export class Prometheus {
  private constructor(
    private readonly child: ChildProcess,
    private readonly directory: string,
    readonly url: string,
  ) {}

  static async start(setup: PrometheusSetup): Promise<Prometheus> {
    const directory = await mkdtemp(join(tmpdir(), 'nestjs-performance-prometheus-'));
    const configuration = join(directory, 'prometheus.yml');
    await mkdir(join(directory, 'data'));
    await writeFile(configuration, configurationOf(setup));
    const address = `127.0.0.1:${await freePort()}`;
    const child = spawn(
      'prometheus',
      [
        `--config.file=${configuration}`,
        `--storage.tsdb.path=${join(directory, 'data')}`,
        `--web.listen-address=${address}`,
        '--enable-feature=exemplar-storage',
        '--log.level=error',
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const prometheus = new Prometheus(child, directory, `http://${address}`);
    await prometheus.eventually(async () => (await fetch(`${prometheus.url}/-/ready`)).ok);
    return prometheus;
  }

  /** The result of an instant query. @throws Error with the message of Prometheus for an invalid expression */
  async query(expression: string): Promise<PrometheusSample[]> {
    const { result } = (await this.get('query', { query: expression })) as {
      result: { metric: Record<string, string>; value: [number, string] }[];
    };
    return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  /** The exemplars of the last hour of the selected series. */
  async exemplars(selector: string): Promise<PrometheusExemplar[]> {
    const now = Date.now() / 1000;
    const series = (await this.get('query_exemplars', {
      query: selector,
      start: String(now - 3600),
      end: String(now + 60),
    })) as { exemplars: { labels: Record<string, string>; value: string; timestamp: number }[] }[];
    return series.flatMap(({ exemplars }) =>
      exemplars.map((exemplar) => ({ ...exemplar, value: Number(exemplar.value) })),
    );
  }

  /** The error of the last scrape of each target: `''` for none. */
  async scrapeErrors(): Promise<string[]> {
    const { activeTargets } = (await this.get('targets', {})) as { activeTargets: { lastError: string }[] };
    return activeTargets.map(({ lastError }) => lastError);
  }

  /** Waits until a condition holds. A server that has not started counts as false. */
  async eventually(condition: () => Promise<boolean>, patienceMs = 15_000): Promise<void> {
    const last = Date.now() + patienceMs;
    while (!(await condition().catch(() => false))) {
      if (this.child.exitCode !== null) throw new Error(`Prometheus ended with ${this.child.exitCode}`);
      if (Date.now() > last) throw new Error('the condition did not come to hold');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async stop(): Promise<void> {
    await end(this.child);
    await rm(this.directory, { recursive: true, force: true });
  }

  private async get(what: string, parameters: Record<string, string>): Promise<unknown> {
    const response = await fetch(`${this.url}/api/v1/${what}?${new URLSearchParams(parameters)}`);
    const { status, data, error } = (await response.json()) as {
      status: string;
      data: unknown;
      error?: string;
    };
    if (status !== 'success') throw new Error(`Prometheus says: ${error}`);
    return data;
  }
}

/** JSON is YAML. */
function configurationOf({
  targets,
  path = '/performance/metrics',
  ruleFiles,
  token,
}: PrometheusSetup): string {
  return JSON.stringify({
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    ...(ruleFiles === undefined ? {} : { rule_files: ruleFiles }),
    scrape_configs: [
      {
        job_name: 'application',
        metrics_path: path,
        static_configs: [{ targets }],
        ...(token === undefined ? {} : { authorization: { credentials: token } }),
      },
    ],
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
