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

/** What got slower than it used to be, and with which version. */
export function regressions(): DashboardBuilder {
  return frame(
    'performance-regressions',
    'Performance: regressions by version',
    'Operations against their own past, and versions against each other.',
  )
    .time({ from: 'now-24h', to: 'now' })
    .annotation(deploys())
    .withPanel(
      stat(
        {
          title: 'Operations that regressed',
          description: 'By a statistical test, at least 10 %: /performance/findings has the numbers.',
          unit: 'none',
        },
        [1, 5],
      ).withTarget(now('max(sum by (instance) (performance_regressions{job="$service"}))')),
    )
    .withPanel(
      stat(
        {
          title: 'Trends',
          description: 'Operations and resources that drift, slowly enough for no alert: plan for them.',
          unit: 'none',
        },
        [1, 5],
      ).withTarget(now('max(sum by (instance) (performance_trends{job="$service"}))')),
    )
    .withPanel(
      stat({
        title: 'Versions',
        description: 'That run now. More than one for long is a roll-out that got stuck.',
        unit: 'none',
      }).withTarget(now('count(count by (service_version) (target_info{job="$service"}))')),
    )
    .withRow(new RowBuilder('Against the usual'))
    .withPanel(
      lines(
        {
          title: 'Now over usual',
          description:
            'The median of the last hour over that of the last days, the median over the instances: 1 is as usual, 2 ' +
            'twice as slow. See which line leaves the others at a deploy.',
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
          title: 'Furthest from usual',
          description: 'Start with the one that costs most: the overview sorts by that.',
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
    .withRow(new RowBuilder('Version by version'))
    .withPanel(
      lines({
        title: 'Median of the requests',
        description:
          'While two versions run side by side they see the same traffic: that is the fairest comparison.',
        unit: 's',
      }).withTarget(quantile(0.5)),
    )
    .withPanel(
      lines({
        title: '95th percentile of the requests',
        description: 'A new version is slower for some minutes while code and caches are cold.',
        unit: 's',
      }).withTarget(quantile(0.95)),
    )
    .withPanel(
      lines({ title: 'Requests', description: 'How the roll-out went.', unit: 'reqps' }).withTarget(
        series(
          'job_version:http_server_request_duration_seconds_count:rate5m{job="$service"}',
          '{{service_version}}',
        ),
      ),
    )
    .withPanel(
      lines({
        title: 'Instances',
        description: 'By version. A saw-tooth is a version that does not stay up.',
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

/** A mark where a version appears that was not there five minutes before. */
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
    .textFormat('The first instances of the version {{service_version}}');
}
