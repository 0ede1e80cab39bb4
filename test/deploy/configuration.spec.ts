import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readYaml } from '../support/yaml.js';
import { DEPLOY } from './expressions.js';

interface Service {
  image?: string;
  build?: { context: string; dockerfile: string };
  environment?: Record<string, string>;
  volumes?: string[];
  ports?: string[];
  secrets?: string[];
  command?: string[];
  depends_on?: string[] | Record<string, unknown>;
}

interface Compose {
  services: Record<string, Service>;
  secrets: Record<string, { environment: string }>;
  volumes: Record<string, null>;
}

interface Collector {
  receivers: Record<string, unknown>;
  processors: Record<string, unknown>;
  exporters: Record<string, unknown>;
  service: {
    extensions?: string[];
    pipelines: Record<string, Record<'receivers' | 'processors' | 'exporters', string[]>>;
  };
  extensions?: Record<string, unknown>;
}

interface TailSampling {
  policies: Record<string, unknown>[];
}

/** As Compose merges them: what is mounted and needed is added, and anything else replaced. */
function merged(base: Compose, overlay: Pick<Compose, 'services'>): Compose {
  const services = { ...base.services };
  for (const [name, added] of Object.entries(overlay.services)) {
    const { volumes = [], depends_on: needs = [] } = services[name] ?? {};
    services[name] = {
      ...services[name],
      ...added,
      volumes: [...volumes, ...(added.volumes ?? [])],
      depends_on: [needs, added.depends_on ?? []].flatMap((one) =>
        Array.isArray(one) ? one : Object.keys(one),
      ),
    };
  }
  return { ...base, services };
}

const COMPOSE = merged(
  readYaml<Compose>(join(DEPLOY, 'compose.yaml')),
  readYaml<Compose>(join(DEPLOY, 'compose.jaeger.yaml')),
);
const SERVICES = Object.entries(COMPOSE.services);
const COLLECTORS = ['config.yaml', 'load-balancing.yaml', 'profiles.yaml'];

/** What each server listens on, by its own configuration or by its default. */
const LISTENS: Record<string, (text: string) => boolean> = {
  'music-store:3000': () => COMPOSE.services['music-store']?.environment?.['PORT'] === '3000',
  'postgres:5432': () => true,
  'redis:6379': () => true,
  'otel-collector:4317': () => read('otel-collector/config.yaml').includes('endpoint: 0.0.0.0:4317'),
  'prometheus:9090': () => !argument('prometheus', '--web.listen-address'),
  'alertmanager:9093': () => !argument('alertmanager', '--web.listen-address'),
  'tempo:4317': () => read('tempo/tempo.yaml').includes('endpoint: 0.0.0.0:4317'),
  'tempo:3200': () => read('tempo/tempo.yaml').includes('http_listen_port: 3200'),
  'jaeger:4317': () => COMPOSE.services['jaeger']?.command === undefined,
  'pyroscope:4040': () => read('pyroscope/pyroscope.yaml').includes('http_listen_port: 4040'),
};

function read(file: string): string {
  return readFileSync(join(DEPLOY, file), 'utf8');
}

function argument(service: string, name: string): boolean {
  return (COMPOSE.services[service]?.command ?? []).some((part) => part.startsWith(name));
}

function yamlFiles(folder = DEPLOY): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.ya?ml$/.test(file))
    .map((file) => join(folder, file));
}

describe('the files of deploy/', () => {
  test('are YAML, where they are named so', () => {
    const files = yamlFiles();
    expect(files.length).toBeGreaterThan(10);
    for (const file of files) expect([file, typeof readYaml(file)]).toEqual([file, 'object']);
  });

  test('are read by somebody', () => {
    // What is not mounted is no part of the stack: the tests of the rules, the Collectors for several and for profiles.
    const unread = [
      'compose.yaml',
      'compose.jaeger.yaml',
      'load-balancing.yaml',
      'profiles.yaml',
      '.test.yml',
    ];
    const mounted = SERVICES.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0]));
    for (const file of yamlFiles()) {
      if (unread.some((end) => file.endsWith(end))) continue;
      const path = `.${file.slice(DEPLOY.length)}`;
      expect([path, mounted.some((folder) => folder !== undefined && path.startsWith(folder))]).toEqual([
        path,
        true,
      ]);
    }
  });
});

describe('compose.yaml with compose.jaeger.yaml', () => {
  test.each(SERVICES)('%s is one image of one version, or is built here', (_name, { image, build }) => {
    if (build !== undefined) {
      expect(existsSync(join(DEPLOY, build.context, build.dockerfile))).toBe(true);
      expect(existsSync(join(DEPLOY, build.context, `${build.dockerfile}.dockerignore`))).toBe(true);
    } else {
      expect(image).toMatch(/:v?\d+\.\d+(\.\d+)?$/);
    }
  });

  test.each(SERVICES)('%s mounts, needs and starts what there is', (_name, service) => {
    for (const volume of service.volumes ?? []) {
      const [source = ''] = volume.split(':');
      const there = source.startsWith('.') ? existsSync(join(DEPLOY, source)) : source in COMPOSE.volumes;
      expect([volume, there]).toEqual([volume, true]);
    }
    const needed = Array.isArray(service.depends_on)
      ? service.depends_on
      : Object.keys(service.depends_on ?? {});
    for (const other of needed) expect(COMPOSE.services).toHaveProperty([other]);
    for (const secret of service.secrets ?? []) expect(COMPOSE.secrets).toHaveProperty([secret]);
    // A file that is named on the command line is one that is mounted.
    for (const [, path = ''] of (service.command ?? []).join('\n').matchAll(/config(?:\.file)?=(\S+)/g)) {
      const mounts = (service.volumes ?? []).map((volume) => volume.split(':')[1] as string);
      expect([path, mounts.some((mount) => path.startsWith(mount))]).toEqual([path, true]);
    }
  });

  test('publishes on the loopback interface alone, no port twice', () => {
    const ports = SERVICES.flatMap(([, service]) => service.ports ?? []);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    const published = ports.map((port) => port.split(':')[1]);
    expect(new Set(published).size).toBe(published.length);
  });

  test('every address names a service and a port that it listens on', () => {
    const names = Object.keys(COMPOSE.services).join('|');
    const texts = [...yamlFiles().filter((file) => !file.endsWith('.test.yml'))].map((file) =>
      readFileSync(file, 'utf8'),
    );
    const addresses = new Set(
      texts.flatMap((text) =>
        [...text.matchAll(new RegExp(`(?<![\\w-])(${names}):(\\d{2,5})\\b`, 'g'))]
          .filter(([, , port]) => Number(port) >= 1000)
          .map(([address]) => address),
      ),
    );
    expect([...addresses].sort()).toEqual(Object.keys(LISTENS).sort());
    for (const [address, listens] of Object.entries(LISTENS)) {
      expect([address, listens(address)]).toEqual([address, true]);
    }
  });

  test('Prometheus has the token that the application asks for', () => {
    const { environment } = COMPOSE.services['music-store'] as Service;
    const secret = COMPOSE.secrets['performance_token'];
    expect(environment?.['PERFORMANCE_TOKEN']).toContain(`\${${secret?.environment}:?`);
    expect(read('.env')).toMatch(/^PERFORMANCE_TOKEN=\S{16,}$/m);
    const { scrape_configs } = readYaml<{
      scrape_configs: { job_name: string; authorization?: { credentials_file: string } }[];
    }>(join(DEPLOY, 'prometheus/prometheus.yml'));
    const scrape = scrape_configs.find(({ job_name }) => job_name === environment?.['SERVICE_NAME']);
    expect(scrape?.authorization?.credentials_file).toBe('/run/secrets/performance_token');
    expect(COMPOSE.services['prometheus']?.secrets).toEqual(['performance_token']);
  });
});

describe('the Collector', () => {
  test.each(COLLECTORS)('%s uses what it defines, and defines what it uses', (file) => {
    const config = readYaml<Collector>(join(DEPLOY, 'otel-collector', file));
    const pipelines = Object.values(config.service.pipelines);
    for (const part of ['receivers', 'processors', 'exporters'] as const) {
      const used = new Set(pipelines.flatMap((pipeline) => pipeline[part]));
      expect([...used].sort()).toEqual(Object.keys(config[part]).sort());
    }
    expect(config.service.extensions ?? []).toEqual(Object.keys(config.extensions ?? {}));
    // Refusing comes before anything is held, and batches are made of what is left.
    for (const { processors } of pipelines) {
      expect(processors[0]).toBe('memory_limiter');
      if (processors.includes('batch')) expect(processors.at(-1)).toBe('batch');
    }
  });

  test('jaeger.yaml adds its exporter to the traces of config.yaml, and changes nothing else', () => {
    const { exporters, service, ...others } = readYaml<Collector>(join(DEPLOY, 'otel-collector/jaeger.yaml'));
    const base = readYaml<Collector>(join(DEPLOY, 'otel-collector/config.yaml'));
    const [added, ...more] = Object.keys(exporters);
    expect(more).toEqual([]);
    expect(base.exporters).not.toHaveProperty([added as string]);
    expect(service).toEqual({
      pipelines: { traces: { exporters: [...(base.service.pipelines['traces']?.exporters ?? []), added] } },
    });
    expect(others).toEqual({});
  });

  test('keeps the traces that the library marks', () => {
    const { processors } = readYaml<Collector>(join(DEPLOY, 'otel-collector/config.yaml'));
    const { policies } = processors['tail_sampling'] as TailSampling;
    for (const policy of policies) expect(policy).toHaveProperty([policy['type'] as string]);
    expect(policies).toContainEqual(
      expect.objectContaining({ boolean_attribute: { key: 'performance.slow', value: true } }),
    );
    const annotated = readFileSync(join(DEPLOY, '../lib/monitor/annotate.ts'), 'utf8');
    expect(annotated).toContain("setAttribute('performance.slow', true)");
  });
});

describe('Grafana', () => {
  test('knows the data sources that its configuration names', () => {
    const text = read('grafana/provisioning/datasources/datasources.yaml');
    const uids = [...text.matchAll(/^ {4}uid: (\S+)$/gm)].map((match) => match[1]);
    const named = [...text.matchAll(/datasourceUid: (\S+)$/gm)].map((match) => match[1]);
    expect(named.length).toBeGreaterThan(2);
    expect(uids).toEqual(expect.arrayContaining(named));
  });
});

function hasAmtool(): boolean {
  try {
    execFileSync('amtool', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    process.stderr.write('skipped: amtool is not installed on this machine\n');
    return false;
  }
}

(hasAmtool() ? describe : describe.skip)('Alertmanager', () => {
  const file = join(DEPLOY, 'alertmanager/alertmanager.yml');
  const amtool = (...args: string[]): string =>
    execFileSync('amtool', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

  test('accepts its configuration', () => {
    expect(amtool('check-config', file)).toContain('SUCCESS');
  });

  test.each([
    ['critical', 'pager'],
    ['warning', 'tickets'],
  ])('sends what is %s to %s', (severity, receiver) => {
    const args = ['config', 'routes', 'test', `--config.file=${file}`, `severity=${severity}`];
    expect(amtool(...args).trim()).toBe(receiver);
  });
});
