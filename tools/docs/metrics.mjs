import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { table } from './table.mjs';

/** Under which name and with which labels Prometheus gets each metric; a test holds it against a real scrape. */
export function prometheusNames(root) {
  return new Map(Object.entries(JSON.parse(readFileSync(resolve(root, 'deploy/metric-names.json'), 'utf8'))));
}

/** The metrics that the library has, with their names in OpenTelemetry and in Prometheus. */
export function metricTable(metrics, names) {
  const left = new Map(names);
  const rows = metrics.map(({ name, unit, kind, description }) => {
    const [prometheus, { labels }] = entryOf(name, left);
    left.delete(prometheus);
    return [
      `\`${name}\``,
      kind,
      unit === '' ? '' : `\`${unit}\``,
      `\`${prometheus}\``,
      codes(labels),
      description,
    ];
  });
  for (const [name, { type, labels }] of left)
    rows.push([
      '',
      type,
      '',
      `\`${name}\``,
      codes(labels),
      'The attributes of the resource: the process that is measured.',
    ]);
  return table(['OpenTelemetry', 'kind', 'unit', 'Prometheus', 'labels in Prometheus', 'meaning'], rows);
}

function entryOf(name, names) {
  const family = name.replaceAll('.', '_');
  const found = [...names].find(([prometheus]) =>
    ['', '_total', '_seconds', '_seconds_total', '_bytes', '_ratio'].some(
      (end) => prometheus === family + end,
    ),
  );
  if (found === undefined) throw new Error(`deploy/metric-names.json has no name for ${name}`);
  return found;
}

const codes = (labels) => labels.map((label) => `\`${label}\``).join(', ');
