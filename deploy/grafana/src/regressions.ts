import {
  AnnotationQueryBuilder,
  type DashboardBuilder,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { frame } from './frame';
import { bars, lines, stat } from './panels';
import { now, series } from './queries';
import { PROMETHEUS } from './variables';

const OPERATION = '{{performance_operation_type}} {{performance_operation_name}}';

/** Operations that became slower, by version. */
export function regressions(): DashboardBuilder {
  return frame(
    'performance-regressions',
    'Performance: regressions by version',
    'Operations compared with their baselines, and versions with each other.',
  )
    .time({ from: 'now-24h', to: 'now' })
    .annotation(deploys())
    .withPanel(
      stat(
        {
          title: 'Regressed operations',
          description: 'By a statistical test and at least 10 %. See /performance/findings for the numbers.',
          unit: 'none',
        },
        [1, 5],
      ).withTarget(now('max(sum by (instance) (performance_regressions{job="$service"}))')),
    )
    .withPanel(
      stat(
        {
          title: 'Trends',
          description: 'Operations and resources that drift too slowly for an alert. Plan for them.',
          unit: 'none',
        },
        [1, 5],
      ).withTarget(now('max(sum by (instance) (performance_trends{job="$service"}))')),
    )
    .withPanel(
      stat({
        title: 'Versions',
        description: 'Running versions. More than one for long is a stuck roll-out.',
        unit: 'none',
      }).withTarget(now('count(count by (service_version) (target_info{job="$service"}))')),
    )
    .withRow(new RowBuilder('Comparison with the baseline'))
    .withPanel(
      lines(
        {
          title: 'Current duration / baseline',
          description:
            'The median of the last hour divided by that of the last days (median over the instances): 1 is unchanged, ' +
            '2 is twice as slow. Look for lines that diverge at a deploy.',
          unit: 'none',
        },
        [1.25, 2],
      ).withTarget(
        series('topk(10, job_operation:performance_baseline_ratio:median{job="$service"})', OPERATION),
      ),
    )
    .withPanel(
      bars(
        {
          title: 'Largest deviations from the baseline',
          description: 'Start with the most expensive operation: the overview sorts by cost.',
          unit: 'none',
        },
        [1.25, 2],
      )
        .height(8)
        .withTarget(
          now(
            'sort_desc(topk(15, job_operation:performance_baseline_ratio:median{job="$service"}))',
          ).legendFormat(OPERATION),
        ),
    )
    .withRow(new RowBuilder('Comparison of versions'))
    .withPanel(
      lines({
        title: 'Median request duration',
        description:
          'Versions that run at the same time receive the same traffic: this is the fairest comparison.',
        unit: 's',
      }).withTarget(quantile(0.5)),
    )
    .withPanel(
      lines({
        title: '95th percentile of the requests',
        description: 'A new version is slower for some minutes, until code and caches are warm.',
        unit: 's',
      }).withTarget(quantile(0.95)),
    )
    .withPanel(
      lines({ title: 'Requests', description: 'The progress of the roll-out.', unit: 'reqps' }).withTarget(
        series(
          'job_version:http_server_request_duration_seconds_count:rate5m{job="$service"}',
          '{{service_version}}',
        ),
      ),
    )
    .withPanel(
      lines({
        title: 'Instances',
        description: 'By version. A saw-tooth pattern means that a version keeps crashing.',
        unit: 'none',
      }).withTarget(
        series('count by (service_version) (target_info{job="$service"})', '{{service_version}}'),
      ),
    );
}

function quantile(share: number): ReturnType<typeof series> {
  return series(
    `histogram_quantile(${share}, job_version_le:http_server_request_duration_seconds_bucket:rate5m{job="$service"})`,
    '{{service_version}}',
  );
}

/** An annotation where a version appears that did not exist five minutes before. */
function deploys(): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name('Deploys')
    .datasource(PROMETHEUS)
    .enable(true)
    .iconColor('blue')
    .expr(
      'count by (service_version) (target_info{job="$service"}) unless on (service_version) count by (service_version) (target_info{job="$service"} offset 5m)',
    )
    .step('60s')
    .titleFormat('{{service_version}}')
    .textFormat('First instances of version {{service_version}}');
}
