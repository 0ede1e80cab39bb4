import { type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { frame } from './frame';
import { bars, FULL, lines } from './panels';
import { now, series } from './queries';

const BURN = 'job_slo_window:performance_slo_burn_rate:avg';
const WINDOW = '{{performance_slo_name}}, {{window}}';

/** Error budgets and burn rates. Windows and factors are those of the SRE Workbook, chapter 5. */
export function slo(): DashboardBuilder {
  return frame(
    'performance-slo',
    'Performance: objectives',
    'The error budgets of the objectives (alerts.slos) and how fast they burn.',
  )
    .time({ from: 'now-3d', to: 'now' })
    .withPanel(
      bars({
        title: 'Remaining budget',
        description: 'For three days. Negative if overspent: prioritize reliability over features.',
        unit: 'percentunit',
      })
        .max(1)
        .withTarget(
          now('job_slo:performance_slo_error_budget_remaining_ratio:avg{job="$service"}').legendFormat(
            '{{performance_slo_name}}',
          ),
        ),
    )
    .withPanel(
      bars(
        {
          title: 'Current burn rate',
          description:
            'Over five minutes. At 1 the budget lasts exactly; at 14.4 a month of it is spent in two days.',
          unit: 'none',
        },
        [1, 14.4],
      ).withTarget(now(`${BURN}{job="$service", window="5m"}`).legendFormat('{{performance_slo_name}}')),
    )
    .withRow(new RowBuilder('Burn rates'))
    .withPanel(
      lines(
        {
          title: 'Fast: one hour and five minutes',
          description: 'Both above 14.4 page someone: users are affected now.',
          unit: 'none',
        },
        [6, 14.4],
      ).withTarget(series(`${BURN}{job="$service", window=~"1h|5m"}`, WINDOW)),
    )
    .withPanel(
      lines(
        {
          title: 'Slow: days and hours',
          description: 'Above 1 for three days the objective will be missed: plan the work.',
          unit: 'none',
        },
        [1, 6],
      ).withTarget(series(`${BURN}{job="$service", window=~"3d|6h|30m"}`, WINDOW)),
    )
    .withRow(new RowBuilder('Sources'))
    .withPanel(
      lines({
        title: 'Instances with the highest burn rate',
        description: 'A single instance: take it out of rotation. All instances: the code or a dependency.',
        unit: 'none',
      }).withTarget(
        series(
          'topk(10, performance_slo_burn_rate{job="$service", instance=~"$instance", window="1h"})',
          '{{instance}} {{performance_slo_name}}',
        ),
      ),
    )
    .withPanel(
      lines({
        title: 'Alerts of the service itself',
        description: 'The number of instances with the firing alert. See /performance for details.',
        unit: 'none',
      }).withTarget(
        series(
          'sum by (performance_alert_rule, performance_alert_severity) (performance_alerts{job="$service", instance=~"$instance"})',
          '{{performance_alert_rule}} ({{performance_alert_severity}})',
        ),
      ),
    )
    .withPanel(
      bars(
        {
          title: 'Failures by route',
          description: 'The share of 5xx responses.',
          unit: 'percentunit',
        },
        [0.01, 0.05],
      )
        .span(FULL)
        .withTarget(
          now(
            'sort_desc(topk(10, job_route:http_server_request_errors:ratio_rate5m{job="$service"}))',
          ).legendFormat('{{http_request_method}} {{http_route}}'),
        ),
    );
}
