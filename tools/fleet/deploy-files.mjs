// Reads deploy/: the versions and arguments of compose.yaml, and configurations with the addresses of this run.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { replaceAddresses } from './addresses.mjs';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DEPLOY = join(ROOT, 'deploy');
/** The parser that @nestjs/swagger depends on. */
const { load } = createRequire(createRequire(import.meta.url).resolve('@nestjs/swagger'))('js-yaml');

/** The text of a file of deploy/. */
export function deployed(file) {
  return readFileSync(join(DEPLOY, file), 'utf8');
}

export function compose(file = 'compose.yaml') {
  return load(deployed(file));
}

/** The version of a service's image, without `v`. */
export function versionOf(service, file) {
  const { image } = compose(file).services[service];
  return /:v?([\d.]+)$/.exec(image)[1];
}

/** The arguments of a service, with paths of its container replaced. @throws Error if a path does not occur */
export function argumentsOf(service, paths) {
  const { command } = compose().services[service];
  let text = command.join('\n');
  for (const [from, to] of Object.entries(paths)) {
    if (!text.includes(from)) throw new Error(`Nothing to replace: "${from}" is no argument of ${service}`);
    text = text.replaceAll(from, to);
  }
  return text.split('\n');
}

/** Writes a file of deploy/ with other addresses. @returns its path */
export function configure(file, replacements, folder, change = (text) => text) {
  const path = join(folder, file.slice(file.lastIndexOf('/') + 1));
  writeFileSync(path, change(replaceAddresses(deployed(file), replacements)));
  return path;
}

/** The panels, annotations and variables of all dashboards that ask a data source. */
export function dashboardQueries(dashboards, job) {
  return dashboards.flatMap(({ file, dashboard }) => [
    ...dashboard.panels.flatMap(({ title, targets = [] }) =>
      targets.flatMap(({ expr, query }) => [
        ...(expr === undefined ? [] : [{ where: `${file}: ${title}`, promql: fillIn(expr, job) }]),
        ...(query === undefined ? [] : [{ where: `${file}: ${title}`, traceql: fillIn(query, job) }]),
      ]),
    ),
    ...(dashboard.annotations?.list ?? []).map(({ name, expr }) => ({
      where: `${file}: ${name}`,
      promql: fillIn(expr, job),
    })),
  ]);
}

/** Values for the variables of a dashboard. */
function fillIn(text, job) {
  return text
    .replaceAll('$service', job)
    .replace(/\$(?:instance|type)\b/g, '.*')
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('$__range', '1h');
}
