import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dashboards, textOf } from '../../deploy/grafana/src/dashboards.js';
import { checkedIn, type Dashboard, DEPLOY, type Panel } from './expressions.js';

const FILES = checkedIn();

function graphs({ panels }: Dashboard): Panel[] {
  return panels.filter(({ type }) => type !== 'row');
}

describe('the checked-in dashboards', () => {
  test('are what their sources make: npm run dashboards', () => {
    const made = Object.entries(dashboards());
    expect(readdirSync(join(DEPLOY, 'grafana/dashboards')).sort()).toEqual(made.map(([file]) => file).sort());
    for (const [file, dashboard] of made) {
      expect(readFileSync(join(DEPLOY, 'grafana/dashboards', file), 'utf8')).toBe(textOf(dashboard));
    }
  });

  test('have addresses of their own, and lead only to one another', () => {
    const uids = Object.values(FILES).map(({ uid }) => uid);
    expect(new Set(uids).size).toBe(uids.length);
    const texts = [
      ...Object.values(FILES).map((dashboard) => JSON.stringify(dashboard)),
      readFileSync(join(DEPLOY, 'prometheus/alerting.rules.yml'), 'utf8'),
    ];
    const targets = texts.flatMap((text) => [...text.matchAll(/\/d\/([\w-]+)/g)].map((match) => match[1]));
    expect(targets.length).toBeGreaterThan(5);
    expect(uids).toEqual(expect.arrayContaining(targets));
  });

  test.each(Object.keys(FILES))('%s lets choose data sources, a service and an instance', (file) => {
    const { templating, links } = FILES[file] as Dashboard;
    const names = templating.list.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['prometheus', 'tempo', 'pyroscope', 'service', 'instance']),
    );
    expect(JSON.stringify(links)).toContain(`\${tempo}`);
    expect(JSON.stringify(links)).toContain(`\${pyroscope}`);
    const used = [...JSON.stringify(FILES[file]).matchAll(/\$\{?(\w+)/g)].map((match) => match[1] as string);
    const unknown = used.filter((name) => !names.includes(name) && !name.startsWith('__'));
    expect(unknown).toEqual([]);
  });

  test.each(Object.keys(FILES))(
    '%s says of every panel what it shows, in what unit and from where',
    (file) => {
      for (const { title, description, fieldConfig, type, targets = [] } of graphs(
        FILES[file] as Dashboard,
      )) {
        expect([title, (description ?? '').length > 20]).toEqual([title, true]);
        if (type !== 'heatmap')
          expect([title, fieldConfig?.defaults.unit]).toEqual([title, expect.any(String)]);
        expect([title, targets.length > 0]).toEqual([title, true]);
        for (const { datasource } of targets) expect(datasource?.uid).toMatch(/^\$\{(prometheus|tempo)\}$/);
      }
    },
  );

  test.each(Object.keys(FILES))('%s has no panel above another', (file) => {
    const taken = new Set<string>();
    const { panels } = FILES[file] as Dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { gridPos } of panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x},${y}`)).toBe(false);
          taken.add(`${x},${y}`);
        }
      }
    }
  });

  test('ask Tempo for what slow spans bear', () => {
    const queries = Object.values(FILES).flatMap((dashboard) =>
      graphs(dashboard).flatMap(({ targets = [] }) => targets.flatMap(({ query }) => query ?? [])),
    );
    for (const condition of [
      'span.performance.slow = true && span.http.request.method != nil',
      'span.performance.memory.heap_used_mb > 500',
      'span.performance.slowness_ratio > 3',
    ]) {
      expect(queries.filter((query) => query.includes(condition))).toHaveLength(1);
    }
    const annotated = readFileSync(join(DEPLOY, '../lib/monitor/annotate.ts'), 'utf8');
    const asked = queries.flatMap((query) =>
      [...query.matchAll(/span\.(performance[\w.]+)/g)].map((match) => match[1] as string),
    );
    expect(asked.filter((attribute) => !annotated.includes(`'${attribute}'`))).toEqual([]);
  });
});
