// The Collector with config.yaml.
import { execFileSync } from 'node:child_process';
import { configure } from './deploy-files.mjs';
import { answers, freePort } from './processes.mjs';

/** For a configuration that is validated and not used. */
const UNUSED = {
  '0.0.0.0:4317': '127.0.0.1:1',
  '0.0.0.0:4318': '127.0.0.1:2',
  '0.0.0.0:13133': '127.0.0.1:3',
  'tempo:4317': '127.0.0.1:4',
  'prometheus:9090': '127.0.0.1:5',
};

/**
 * Starts a Collector.
 * @param {{ traces: string, prometheus: string, jaeger?: string }} targets `HOST:PORT` of the storage for traces and of
 *   Prometheus. With that of Jaeger, jaeger.yaml follows config.yaml
 */
export async function startCollector(run, program, targets, name = 'otel-collector') {
  const [grpc, http, health, own] = await Promise.all(Array.from({ length: 4 }, freePort));
  const folder = run.folderOf(name);
  const file = configure(
    'otel-collector/config.yaml',
    {
      '0.0.0.0:4317': `127.0.0.1:${grpc}`,
      '0.0.0.0:4318': `127.0.0.1:${http}`,
      '0.0.0.0:13133': `127.0.0.1:${health}`,
      'tempo:4317': targets.traces,
      'prometheus:9090': targets.prometheus,
    },
    folder,
  );
  const files =
    targets.jaeger === undefined
      ? [file]
      : [file, configure('otel-collector/jaeger.yaml', { 'jaeger:4317': targets.jaeger }, folder)];
  // Its own metrics have a fixed address by default.
  const reader = `{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${own}}}}}`;
  const args = [
    ...files.map((path) => `--config=${path}`),
    `--set=service.telemetry.metrics.readers=[${reader}]`,
  ];
  const process = await run.start(name, program, args, {
    ready: () => answers(`http://127.0.0.1:${health}`),
  });
  return {
    process,
    grpc: `http://127.0.0.1:${grpc}`,
    http: `http://127.0.0.1:${http}`,
    /** Its own metrics by name: the sums over all labels. */
    metrics: () => sums(`http://127.0.0.1:${own}/metrics`),
  };
}

/** config.yaml with addresses that nothing has, in a folder. @returns its path */
export function unusedConfiguration(folder, change) {
  return configure('otel-collector/config.yaml', UNUSED, folder, change);
}

/** @throws Error with the Collector's words if it rejects the files, each of which is read after those before it */
export function validate(program, ...files) {
  try {
    execFileSync(program, ['validate', ...files.map((file) => `--config=${file}`)], {
      encoding: 'utf8',
      stdio: 'pipe',
      timeout: 60_000,
    });
  } catch (error) {
    throw new Error(error.stderr || error.message);
  }
}

/** The metrics at an address by name: the sums over all labels. */
export async function sums(url) {
  const text = await (await fetch(url)).text();
  const result = {};
  for (const [, name, value] of text.matchAll(/^(\w+)(?:\{.*\})? (\S+)$/gm))
    result[name] = (result[name] ?? 0) + Number(value);
  return result;
}
