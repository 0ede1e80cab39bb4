import type { DataqueryBuilder as PrometheusQuery } from '@grafana/grafana-foundation-sdk/prometheus';
import type { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table';
import { table, type Words } from './panels';
import { column } from './queries';

/** A column of the operations table. */
export interface OperationColumn {
  readonly name: string;
  readonly unit: string;
  /** Has the labels `performance_operation_type` and `performance_operation_name`. */
  readonly expression: string;
}

/** A link to the operation on the dashboard of slow operations. */
const LINK = {
  title: 'Slow executions',
  url: `/d/performance-slow?var-service=\${service}&var-type=\${__data.fields.Type}&\${__url_time_range}`,
};

/** A table with one row per operation, sorted by the first column. */
export function operationTable(words: Omit<Words, 'unit'>, columns: readonly OperationColumn[]): Table {
  const ids = columns.map((_, index) => String.fromCharCode(65 + index));
  const panel = table({ ...words, unit: 'none' })
    .targets(
      columns.map(({ expression }, index): PrometheusQuery => column(ids[index] as string, expression)),
    )
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true, job: true },
        renameByName: {
          performance_operation_type: 'Type',
          performance_operation_name: 'Operation',
          ...Object.fromEntries(columns.map(({ name }, index) => [`Value #${ids[index]}`, name])),
        },
      },
    })
    .withTransformation({ id: 'sortBy', options: { sort: [{ field: columns[0]?.name, desc: true }] } });
  for (const { name, unit } of columns) panel.overrideByName(name, [{ id: 'unit', value: unit }]);
  return panel.overrideByName('Operation', [
    { id: 'links', value: [LINK] },
    { id: 'custom.width', value: 380 },
  ]);
}
