import {
  DataqueryBuilder as PrometheusQuery,
  PromQueryFormat,
} from '@grafana/grafana-foundation-sdk/prometheus';
import { SearchTableType, DataqueryBuilder as TempoQuery } from '@grafana/grafana-foundation-sdk/tempo';
import { PROMETHEUS, TEMPO } from './variables';

/** One line per series. */
export function series(expression: string, legend: string): PrometheusQuery {
  return new PrometheusQuery().datasource(PROMETHEUS).expr(oneLine(expression)).legendFormat(legend).range();
}

/** The values at the end of the time range. */
export function now(expression: string): PrometheusQuery {
  return new PrometheusQuery().datasource(PROMETHEUS).expr(oneLine(expression)).instant();
}

/** As `now`, with labels as columns. The column of values is named `Value #REFID`. */
export function column(refId: string, expression: string): PrometheusQuery {
  return now(expression).refId(refId).format(PromQueryFormat.Table);
}

/** Spans of the service that match a TraceQL condition, with their causes in columns. */
export function slowSpans(condition: string): TempoQuery {
  return traces(
    `{ ${condition} && resource.service.name = "$service" } | ` +
      'select(span.performance.cause, span.performance.slowness_ratio, span.performance.explanation)',
  );
}

/** @param query in TraceQL */
export function traces(query: string): TempoQuery {
  return new TempoQuery()
    .datasource(TEMPO)
    .queryType('traceql')
    .query(query)
    .tableType(SearchTableType.Spans)
    .limit(20);
}

function oneLine(expression: string): string {
  return expression.trim().replace(/\s+/g, ' ');
}
