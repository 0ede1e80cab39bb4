// The engines of deploy/compose.yaml: how each is obtained, and why some cannot be.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { obtain, placeholder } from './go-modules.mjs';

const CONTRIB = 'github.com/open-telemetry/opentelemetry-collector-contrib';
const CORE = 'go.opentelemetry.io/collector';
const STRIP = ['-trimpath', '-ldflags=-s -w'];

/** Part of compose.yaml, but not to be had as a Go module, a Debian package or an npm package. */
export const UNAVAILABLE = {
  Tempo: 'no Go module, Debian package or npm package of it is served',
  Pyroscope: 'no Go module, Debian package or npm package of it is served',
  Grafana: 'no Go module, Debian package or npm package of its server is served',
  'The step of OTLP profiles from the Collector to Pyroscope': 'it needs Pyroscope',
  "The Collector's loadbalancing exporter": 'its Go module is not served',
};

/** The modules of the Collector that `config.yaml` needs, by their kind. */
function collectorModules(version) {
  // Its modules are of two series: 0.161.0 goes with 1.67.0.
  const stable = `1.${Number(version.split('.')[1]) - 94}.0`;
  return {
    receivers: [`${CORE}/receiver/otlpreceiver v${version}`],
    processors: [
      `${CORE}/processor/memorylimiterprocessor v${version}`,
      `${CORE}/processor/batchprocessor v${version}`,
      `${CONTRIB}/processor/tailsamplingprocessor v${version}`,
    ],
    exporters: [
      `${CORE}/exporter/otlpexporter v${version}`,
      `${CORE}/exporter/otlphttpexporter v${version}`,
      `${CONTRIB}/exporter/prometheusremotewriteexporter v${version}`,
    ],
    extensions: [`${CONTRIB}/extension/healthcheckextension v${version}`],
    providers: ['env', 'file', 'yaml'].map(
      (scheme) => `${CORE}/confmap/provider/${scheme}provider v${stable}`,
    ),
  };
}

/** The Collector's own builder writes its source, and Go compiles it. */
function collector(version) {
  const modules = collectorModules(version);
  const manifest = { dist: { name: 'otelcol', output_path: './source' } };
  for (const [kind, names] of Object.entries(modules)) manifest[kind] = names.map((gomod) => ({ gomod }));
  const required = [`${CORE}/otelcol v${version}`, ...Object.values(modules).flat()];
  const build = async (folder, go) => {
    const source = join(folder, 'source');
    // JSON is YAML.
    writeFileSync(join(folder, 'manifest.yaml'), JSON.stringify(manifest));
    // Without the "go mod tidy" of the builder, which needs the modules of all tests.
    const options = ['--config', 'manifest.yaml', '--skip-get-modules', '--skip-compilation'];
    await go.run(['run', `${CORE}/cmd/builder@v${version}`, ...options], { cwd: folder });
    writeFileSync(
      join(source, 'go.mod'),
      `module otelcol\n\ngo 1.25\n\nrequire (\n\t${required.join('\n\t')}\n)\n`,
    );
    await go.run(['build', '-mod=mod', ...STRIP, '-o', '../otelcol', '.'], { cwd: source });
    return join(folder, 'otelcol');
  };
  return { build, contents: required.join() };
}

/** A program of a module. */
function program(module, path, { tags = '', embedded = [], versionOf = (version) => version } = {}) {
  return (version) => ({
    contents: `${module} ${path} ${tags}`,
    async build(folder, go) {
      const source = await go.source(module, versionOf(version), folder);
      for (const file of embedded) placeholder(source, file);
      const built = join(folder, 'program');
      await go.run(['build', ...STRIP, '-tags', tags, '-o', built, `./${path}`], { cwd: source });
      return built;
    },
  });
}

/** 2.13.0 is of one release with 1.76.0. */
function jaegerModuleVersion(version) {
  return version.replace(/^2\.(\d+)/, (_, minor) => `1.${Number(minor) + 63}`);
}

const RECIPES = {
  collector: { name: 'otelcol', recipe: collector },
  prometheus: {
    name: 'prometheus',
    installed: 'prometheus',
    recipe: program('github.com/prometheus/prometheus', 'cmd/prometheus', {
      // Static targets only: each kind of service discovery is a large client of some cloud.
      tags: 'remove_all_sd',
      // 3.13.3 is the module's version 0.313.3.
      versionOf: (version) =>
        version.replace(/^(\d+)\.(\d+)/, (_, major, minor) => `0.${major}${minor.padStart(2, '0')}`),
    }),
  },
  alertmanager: {
    name: 'alertmanager',
    installed: 'prometheus-alertmanager',
    recipe: program('github.com/prometheus/alertmanager', 'cmd/alertmanager', {
      embedded: ['ui/app/dist/index.html'],
    }),
  },
  jaeger: {
    name: 'jaeger',
    about: (version) => `${version}, as cmd/all-in-one ${jaegerModuleVersion(version)}`,
    // The program of 2.13.0 itself is a Collector with everything in it, which takes half an hour to compile.
    recipe: program('github.com/jaegertracing/jaeger', 'cmd/all-in-one', { versionOf: jaegerModuleVersion }),
  },
};

/**
 * Obtains each engine of which `versions` has a version.
 * @returns {Promise<Record<string, { program?: string, origin: string }>>} without `program` where there is none: `origin`
 *   says why
 */
export async function obtainEngines(versions, { signal }) {
  const engines = {};
  const hasGo = outputOf('go', ['version']) !== undefined;
  for (const [key, version] of Object.entries(versions)) {
    const { name, installed, recipe, about = String } = RECIPES[key];
    let reason = 'Go is not installed';
    if (hasGo) {
      try {
        const { program: path, seconds } = await obtain({ name, version, ...recipe(version) }, { signal });
        const how = seconds === undefined ? 'from the cache' : `built in ${seconds} s`;
        engines[key] = { program: path, origin: `${about(version)}, ${how}` };
        continue;
      } catch (error) {
        reason = signal.aborted ? 'not built within the time limit' : error.message;
      }
    }
    const other = installed === undefined ? undefined : outputOf(installed, ['--version']);
    engines[key] =
      other === undefined
        ? { origin: reason }
        : {
            program: installed,
            origin: `${/version (\S+)/.exec(other)?.[1]}, installed; ${version} not: ${reason}`,
          };
  }
  return engines;
}

function outputOf(command, args) {
  try {
    return execFileSync(command, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
    });
  } catch {
    return undefined;
  }
}
