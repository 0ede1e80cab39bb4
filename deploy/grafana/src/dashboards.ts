import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { overview } from './overview';
import { regressions } from './regressions';
import { runtime } from './runtime';
import { slo } from './slo';
import { slowOperations } from './slow-operations';

const SOURCES = { overview, 'slow-operations': slowOperations, regressions, runtime, slo };

/** The dashboards by file name. */
export function dashboards(): Record<string, Dashboard> {
  return Object.fromEntries(
    Object.entries(SOURCES).map(([name, source]) => [`${name}.json`, finished(source().build())]),
  );
}

/** The content of a dashboard file. */
export function textOf(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

/** Numbers the panels, so that links can address them, and shows links and annotations outside of the menu. */
function finished(dashboard: Dashboard): Dashboard {
  for (const [index, panel] of (dashboard.panels ?? []).entries()) panel.id = index + 1;
  for (const part of [...(dashboard.links ?? []), ...(dashboard.annotations?.list ?? [])]) {
    delete part.placement;
  }
  return dashboard;
}
