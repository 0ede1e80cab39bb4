import { type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { frame } from './frame';
import { operationTable } from './operation-table';
import { areas, bars, lines, spans } from './panels';
import { now, series, slowSpans } from './queries';
import { operationTypeVariable } from './variables';

const OF_TYPE = '{job="$service", performance_operation_type=~"$type"}';
const OPERATION = 'performance_operation_type, performance_operation_name';
const SLOW = `job_operation_cause:performance_slow_operations:rate5m${OF_TYPE}`;

/** Slow operations, their causes and examples. */
export function slowOperations(): DashboardBuilder {
  return frame(
    'performance-slow',
    'Performance: slow operations',
    'Operations above their threshold by cause, with traces of examples.',
  )
    .withVariable(operationTypeVariable())
    .withPanel(
      areas({
        title: 'Slow operations by cause',
        description:
          'n_plus_one: load in one query. sequential_calls: run side by side. database: look at the plan. cpu and ' +
          'event_loop_blocked: look at the profile. cpu_starved: raise the CPU limit. gc: hold less. connection_pool: queries hold their connection too long.',
        unit: 'ops',
      }).withTarget(series(`sum by (performance_cause) (${SLOW})`, '{{performance_cause}}')),
    )
    .withPanel(
      lines(
        {
          title: 'Share of slow operations by type',
          description: 'If it is high without complaints, the threshold is too low.',
          unit: 'percentunit',
        },
        [0.01, 0.05],
      ).withTarget(
        series(
          `job_type:performance_slow_operations:ratio_rate5m${OF_TYPE}`,
          '{{performance_operation_type}}',
        ),
      ),
    )
    .withPanel(
      operationTable(
        {
          title: 'Most frequent slow operations',
          description: 'Slow executions per second, and their share.',
        },
        [
          { name: 'Slow', unit: 'ops', expression: `topk(20, sum by (job, ${OPERATION}) (${SLOW}) > 0)` },
          {
            name: 'Share',
            unit: 'percentunit',
            expression: `sum by (job, ${OPERATION}) (${SLOW}) / on (job, ${OPERATION}) (job_operation:performance_operation_duration_seconds_count:rate5m${OF_TYPE} > 0)`,
          },
        ],
      ),
    )
    .withRow(new RowBuilder('Examples'))
    .withPanel(
      spans(
        'Slow requests',
        'Click a span to open its trace: the waterfall shows the time, performance.explanation the cause.',
      ).withTarget(slowSpans('span.performance.slow = true && span.http.request.method != nil')),
    )
    .withPanel(
      spans(
        'Far above their threshold',
        'More than three times the threshold. Users notice these.',
      ).withTarget(slowSpans('span.performance.slowness_ratio > 3')),
    )
    .withPanel(
      spans(
        'Slow with a large heap',
        'More than 500 MB in use: compare with the runtime dashboard, garbage collection may be the cause.',
      ).withTarget(slowSpans('span.performance.memory.heap_used_mb > 500')),
    )
    .withRow(new RowBuilder('Findings'))
    .withPanel(
      bars({
        title: 'Findings in the time range',
        description:
          'By type, over all instances. /performance/findings has the evidence and the line of code.',
        unit: 'none',
      }).withTarget(
        now(
          'sort_desc(sum by (performance_finding_type) (increase(performance_findings_total{job="$service"}[$__range])))',
        ).legendFormat('{{performance_finding_type}}'),
      ),
    )
    .withPanel(
      lines({
        title: 'Findings by severity',
        description: 'After a step at a deploy, review its changes.',
        unit: 'none',
      })
        .height(9)
        .withTarget(
          series(
            'sum by (performance_finding_severity) (increase(performance_findings_total{job="$service"}[$__rate_interval]))',
            '{{performance_finding_severity}}',
          ),
        ),
    );
}
