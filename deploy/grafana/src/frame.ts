import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
} from '@grafana/grafana-foundation-sdk/dashboard';
import {
  instanceVariable,
  prometheusVariable,
  pyroscopeVariable,
  serviceVariable,
  tempoVariable,
} from './variables';

const TAG = 'nestjs-performance';
const CPU_PROFILE = 'process_cpu:cpu:nanoseconds:cpu:nanoseconds';

/**
 * What all dashboards have: the data sources, the service and the instance to choose, and the links between them and
 * to traces and profiles, which take the choice and the time along.
 */
export function frame(uid: string, title: string, description: string): DashboardBuilder {
  return new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags([TAG])
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(prometheusVariable())
    .withVariable(tempoVariable())
    .withVariable(pyroscopeVariable())
    .withVariable(serviceVariable())
    .withVariable(instanceVariable())
    .link(
      new DashboardLinkBuilder('Performance')
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .includeVars(true)
        .keepTime(true),
    )
    .link(
      new DashboardLinkBuilder('Traces')
        .type(DashboardLinkType.Link)
        .icon('external link')
        .tooltip('The traces of this service in Explore')
        .url(`/explore?schemaVersion=1&orgId=1&panes=${slowTracesPane()}`),
    )
    .link(
      new DashboardLinkBuilder('Profiles')
        .type(DashboardLinkType.Link)
        .icon('external link')
        .tooltip('The CPU profiles of this service in Pyroscope')
        .url(
          '/a/grafana-pyroscope-app/explore?explorationType=flame-graph' +
            `&var-dataSource=\${pyroscope}&var-serviceName=\${service}&var-profileMetricId=${CPU_PROFILE}`,
        )
        .keepTime(true),
    );
}

/** A pane of Explore. Grafana fills in variables of a link only where their braces are not encoded. */
function slowTracesPane(): string {
  const query = '{ span.performance.slow = true && resource.service.name = "SERVICE" }';
  const pane = {
    datasource: 'TEMPO',
    queries: [{ refId: 'A', queryType: 'traceql', query }],
    range: { from: 'now-1h', to: 'now' },
  };
  return encodeURIComponent(JSON.stringify({ traces: pane }))
    .replace('TEMPO', `\${tempo}`)
    .replace('SERVICE', `\${service}`);
}
