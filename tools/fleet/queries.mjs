// What the dashboards and documents ask of Prometheus and Tempo.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dashboardQueries, ROOT } from './deploy-files.mjs';

/** A code span of TraceQL: `{ span.performance.slow = true }`. */
const DOCUMENTED = /`(\{ (?:span|resource)\.[^`]*\}[^`]*)`/g;

/** All queries of all dashboards, with those of their links to Explore. */
export function allDashboardQueries(job) {
  const folder = join(ROOT, 'deploy/grafana/dashboards');
  const dashboards = readdirSync(folder).map((file) => ({
    file,
    dashboard: JSON.parse(readFileSync(join(folder, file), 'utf8')),
  }));
  return [
    ...dashboardQueries(dashboards, job),
    ...dashboards.flatMap(({ file, dashboard }) => ofLinks(file, dashboard, job)),
  ];
}

function ofLinks(file, { links }, job) {
  return links.flatMap(({ title, url = '' }) => {
    const panes = /[?&]panes=([^&]+)/.exec(url)?.[1];
    if (panes === undefined) return [];
    const filled = decodeURIComponent(panes).replace(/\$\{service\}/g, job);
    return Object.values(JSON.parse(filled)).flatMap(({ queries }) =>
      queries.map(({ query }) => ({ where: `${file}: link ${title}`, traceql: query })),
    );
  });
}

/** A row of the table of tags for Jaeger: | `performance.slow=true http.route=/albums/with-tracks` |. */
const TAGS = /^\| `((?:[\w.]+=\S+ ?)+)`/gm;

/** The searches by tags in the guide, as its page reads them. */
export function documentedTags() {
  const where = 'docs/guides/grafana-and-fleets.md';
  const text = readFileSync(join(ROOT, where), 'utf8');
  const [, section = ''] = text.split('\n## Slow spans in Jaeger\n');
  return [...section.split('\n## ')[0].matchAll(TAGS)].map(([, written]) => ({
    where,
    written,
    tags: Object.fromEntries(written.split(' ').map((pair) => pair.split('='))),
  }));
}

/** TraceQL in README.md, docs/ and deploy/README.md. */
export function documentedTraceQl() {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((file) =>
    join('docs', file),
  );
  const files = ['README.md', 'deploy/README.md', ...docs].filter((file) => file.endsWith('.md'));
  return files.flatMap((file) =>
    [...readFileSync(join(ROOT, file), 'utf8').matchAll(DOCUMENTED)].map(([, traceql]) => ({
      where: file,
      traceql,
    })),
  );
}
