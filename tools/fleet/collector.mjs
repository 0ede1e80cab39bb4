// The Collector with config.yaml.
import { execFileSync } from 'node:child_process';
import { configure } from './deploy-files.mjs';
import { answers, freePort } from './processes.mjs';

/**
 * Starts a Collector.
 * @param {{ traces: string, prometheus: string }} targets `HOST:PORT` of the storage for traces and of Prometheus
 */
export async function startCollector(run, program, targets, name = 'otel-collector') {
  const [grpc, http, health, own] = await Promise.all(Array.from({ length: 4 }, freePort));
  const file = configure(
    'otel-collector/config.yaml',
    {
      '0.0.0.0:4317': `127.0.0.1:${grpc}`,
      '0.0.0.0:4318': `127.0.0.1:${http}`,
      '0.0.0.0:13133': `127.0.0.1:${health}`,
      'tempo:4317': targets.traces,
      'prometheus:9090': targets.prometheus,
    },
    run.folderOf(name),
  );
  // Its own metrics have a fixed address by default.
  const reader = `{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${own}}}}}`;
  const args = [`--config=${file}`, `--set=service.telemetry.metrics.readers=[${reader}]`];
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

/** @throws Error with the Collector's words if it rejects a file */
export function validate(program, file) {
  try {
    execFileSync(program, ['validate', `--config=${file}`], {
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
