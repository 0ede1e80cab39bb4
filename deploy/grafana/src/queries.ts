import {
  DataqueryBuilder as PrometheusQuery,
  PromQueryFormat,
} from '@grafana/grafana-foundation-sdk/prometheus';
import { SearchTableType, DataqueryBuilder as TempoQuery } from '@grafana/grafana-foundation-sdk/tempo';
import { PROMETHEUS, TEMPO } from './variables';

/** A line for each series of the answer. */
export function series(expression: string, legend: string): PrometheusQuery {
  return new PrometheusQuery().datasource(PROMETHEUS).expr(oneLine(expression)).legendFormat(legend).range();
}

/** What is so at the end of the time range. */
export function now(expression: string): PrometheusQuery {
  return new PrometheusQuery().datasource(PROMETHEUS).expr(oneLine(expression)).instant();
}

/** As `now`, with the labels as columns. `refId` is in the name of the column of the values: `Value #REFID`. */
export function column(refId: string, expression: string): PrometheusQuery {
  return now(expression).refId(refId).format(PromQueryFormat.Table);
}

/** Spans that a TraceQL condition selects, with the reasons in columns. The condition is of a span of the service. */
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
