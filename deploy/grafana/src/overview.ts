import type { DashboardBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { frame } from './frame';
import { operationTable } from './operation-table';
import { latencies, lines, spans, stat, THIRD } from './panels';
import { now, series, traces } from './queries';

const JOB = 'job="$service"';
const OPERATION = 'performance_operation_type, performance_operation_name';
const ROUTE = '{{http_request_method}} {{http_route}}';
/** The listed operations: those with the most total time. */
const DEAREST = `topk(20, job_operation:performance_operation_duration_seconds_sum:rate5m{${JOB}})`;

/** The health of a service, its routes, and its most expensive operations. */
export function overview(): DashboardBuilder {
  const dashboard = frame(
    'performance-overview',
    'Performance: service overview',
    'Requests, failures and latencies of a service by route, and its most expensive operations.',
  );
  howItIs(dashboard);
  return dashboard
    .withRow(new RowBuilder('Requests by route'))
    .withPanel(
      lines({
        title: 'Rate',
        description: 'Requests per second. A drop is as critical as a peak.',
        unit: 'reqps',
      })
        .span(THIRD)
        .withTarget(
          series(`topk(10, job_route:http_server_request_duration_seconds_count:rate5m{${JOB}})`, ROUTE),
        ),
    )
    .withPanel(
      lines(
        {
          title: 'Errors',
          description: 'The share of 5xx responses. See "Failed requests" below.',
          unit: 'percentunit',
        },
        [0.01, 0.05],
      )
        .span(THIRD)
        .withTarget(series(`topk(10, job_route:http_server_request_errors:ratio_rate5m{${JOB}})`, ROUTE)),
    )
    .withPanel(
      lines({
        title: 'Duration, 95th percentile',
        description: 'Click a route in the table below to see the causes of its slow requests.',
        unit: 's',
      })
        .span(THIRD)
        .withTarget(
          series(
            `topk(10, histogram_quantile(0.95, job_route_le:http_server_request_duration_seconds_bucket:rate5m{${JOB}}))`,
            ROUTE,
          ),
        ),
    )
    .withRow(new RowBuilder('Most expensive operations'))
    .withPanel(
      operationTable(
        {
          title: 'Operations by total time',
          description:
            'Cost is the time spent in an operation per second, over all instances: optimizing the first lines saves ' +
            'most. vs baseline is the current median divided by that of the last days.',
        },
        [
          { name: 'Cost', unit: 's', expression: DEAREST },
          {
            name: 'Rate',
            unit: 'ops',
            expression: among(`job_operation:performance_operation_duration_seconds_count:rate5m{${JOB}}`),
          },
          {
            name: 'p95',
            unit: 's',
            expression: among(
              `histogram_quantile(0.95, job_operation_le:performance_operation_duration_seconds_bucket:rate5m{${JOB}})`,
            ),
          },
          {
            name: 'Slow',
            unit: 'percentunit',
            expression: among(
              `sum by (job, ${OPERATION}) (job_operation_cause:performance_slow_operations:rate5m{${JOB}}) / on (job, ${OPERATION}) (job_operation:performance_operation_duration_seconds_count:rate5m{${JOB}} > 0)`,
            ),
          },
          {
            name: 'vs baseline',
            unit: 'none',
            expression: among(`job_operation:performance_baseline_ratio:median{${JOB}}`),
          },
        ],
      ),
    )
    .withRow(new RowBuilder('Latencies'))
    .withPanel(
      latencies({
        title: 'Request durations',
        description:
          'How many requests took how long. Two bands are two ways through the code: a cache that is hit and one that ' +
          'is missed, or a lock. Diamonds are slow requests whose trace is kept: click one.',
      }).withTarget(
        series(
          `sum by (le) (rate(http_server_request_duration_seconds_bucket{${JOB}, instance=~"$instance"}[$__rate_interval]))`,
          '{{le}}',
        )
          .format(PromQueryFormat.Heatmap)
          .exemplar(true),
      ),
    )
    .withRow(new RowBuilder('Dependencies'))
    .withPanel(
      lines({
        title: 'Databases and caches, 95th percentile',
        description:
          'Slow here but fast in the database itself: the pool, the network, or a blocked event loop.',
        unit: 's',
      }).withTarget(
        series(
          `topk(10, histogram_quantile(0.95, sum by (db_system_name, db_operation_name, db_collection_name, le) (rate(db_client_operation_duration_seconds_bucket{${JOB}}[$__rate_interval]))))`,
          '{{db_system_name}} {{db_operation_name}} {{db_collection_name}}',
        ),
      ),
    )
    .withPanel(
      lines({
        title: 'Other services, 95th percentile',
        description:
          'By host. Set a timeout and a fallback for slow hosts; open a trace to see the other side.',
        unit: 's',
      }).withTarget(
        series(
          `topk(10, histogram_quantile(0.95, sum by (server_address, server_port, le) (rate(http_client_request_duration_seconds_bucket{${JOB}}[$__rate_interval]))))`,
          '{{server_address}}:{{server_port}}',
        ),
      ),
    )
    .withPanel(
      spans('Failed requests', 'Spans with an error. The events of a span contain the exception.').withTarget(
        traces('{ resource.service.name = "$service" && status = error }'),
      ),
    );
}

function howItIs(dashboard: DashboardBuilder): void {
  dashboard
    .withPanel(
      stat({ title: 'Requests', description: 'Per second, over all instances.', unit: 'reqps' }).withTarget(
        now(`sum(job_route:http_server_request_duration_seconds_count:rate5m{${JOB}})`),
      ),
    )
    .withPanel(
      stat(
        {
          title: 'Errors',
          description: 'The share of 5xx responses.',
          unit: 'percentunit',
        },
        [0.01, 0.05],
      ).withTarget(now(`job:http_server_request_errors:ratio_rate5m{${JOB}}`)),
    )
    .withPanel(
      stat(
        {
          title: 'Slow',
          description: 'The share of requests above their threshold. See the dashboard of slow operations.',
          unit: 'percentunit',
        },
        [0.01, 0.05],
      ).withTarget(
        now(`job_type:performance_slow_operations:ratio_rate5m{${JOB}, performance_operation_type="http"}`),
      ),
    )
    .withPanel(
      stat({ title: 'p95', description: 'All requests, over five minutes.', unit: 's' }).withTarget(
        now(
          `histogram_quantile(0.95, sum by (le) (job_route_le:http_server_request_duration_seconds_bucket:rate5m{${JOB}}))`,
        ),
      ),
    )
    .withPanel(
      stat(
        {
          title: 'Alerts',
          description: 'Firing alerts of the service itself. See /performance.',
          unit: 'none',
        },
        [1, 3],
      ).withTarget(now(`sum(max by (performance_alert_rule) (performance_alerts{${JOB}}))`)),
    )
    .withPanel(
      stat({
        title: 'Instances',
        description: 'Instances that responded to the last scrape.',
        unit: 'none',
      }).withTarget(now(`count(target_info{${JOB}})`)),
    );
}

/** Restricts an expression to the listed operations. */
function among(expression: string): string {
  return `${expression} and on (job, ${OPERATION}) ${DEAREST}`;
}
