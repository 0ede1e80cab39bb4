import { isValidTraceId } from '@opentelemetry/api';
import { LEAKING_MEMORIES } from '../leaks/leak.js';
import type { Metric, NumberPoint } from './metric.js';
import type { MetricSources } from './metric-sources.js';

/** Metrics of findings, changes and alerts. Without any, they are 0 instead of absent. */
export function changeMetrics(sources: MetricSources): Metric[] {
  const since = sources.countingSince();
  const gauge = (
    name: string,
    unit: string,
    description: string,
    points: () => Iterable<NumberPoint>,
  ): Metric => ({ kind: 'gauge', name, unit, description, since, points });
  return [
    {
      kind: 'counter',
      name: 'performance.findings',
      unit: '{finding}',
      description: 'Observations of the detectors. A finding counts each time it is observed.',
      since,
      points: () => findings(sources),
    },
    gauge('performance.regressions', '{regression}', 'Open regressions.', () => regressions(sources)),
    gauge('performance.trends', '{trend}', 'Current slow rises.', () => trends(sources)),
    gauge('performance.leaks', '{leak}', 'Leaks.', () => leaks(sources)),
    gauge('performance.alerts', '{alert}', '1 while the rule fires.', () => alerts(sources)),
    // Without the unit 1, which would append `_ratio` to the name.
    gauge(
      'performance.slo.burn_rate',
      '',
      'Burn rate of the error budget of an objective: 1 spends it exactly.',
      () => burnRates(sources),
    ),
    gauge(
      'performance.slo.error_budget.remaining',
      '1',
      'Remaining share of the error budget of the last three days; below 0 if overspent.',
      () => budgets(sources),
    ),
  ];
}

function* findings(sources: MetricSources): Iterable<NumberPoint> {
  for (const { type, severity, count, traceId, spanId, ms, timestamp } of sources.findingCounts()) {
    yield {
      attributes: { 'performance.finding.type': type, 'performance.finding.severity': severity },
      value: count,
      ...(isValidTraceId(traceId) ? { exemplar: { traceId, spanId, value: ms / 1000, timestamp } } : {}),
    };
  }
}

function* regressions(sources: MetricSources): Iterable<NumberPoint> {
  const byType = new Map(sources.statistics.types().map((type) => [type, 0]));
  for (const { type, state } of sources.regressions()) {
    if (state === 'open') byType.set(type, (byType.get(type) ?? 0) + 1);
  }
  for (const [type, value] of byType) yield { attributes: { 'performance.operation.type': type }, value };
}

function* trends(sources: MetricSources): Iterable<NumberPoint> {
  const present = sources.trends();
  for (const kind of ['operation', 'resource']) {
    const value = present.filter(({ subject }) => subject.kind === kind).length;
    yield { attributes: { 'performance.trend.subject': kind }, value };
  }
}

function* leaks(sources: MetricSources): Iterable<NumberPoint> {
  const present = sources.leaks();
  for (const memory of LEAKING_MEMORIES) {
    for (const state of ['suspect', 'confirmed']) {
      const value = present.filter((leak) => leak.memory === memory && leak.state === state).length;
      yield { attributes: { 'performance.leak.memory': memory, 'performance.leak.state': state }, value };
    }
  }
}

function* alerts(sources: MetricSources): Iterable<NumberPoint> {
  for (const { rule, severity, firing } of sources.alertRules()) {
    yield {
      attributes: { 'performance.alert.rule': rule, 'performance.alert.severity': severity },
      value: firing ? 1 : 0,
    };
  }
}

function* burnRates(sources: MetricSources): Iterable<NumberPoint> {
  for (const { slo, windows } of sources.burnRates()) {
    for (const [window, { rate }] of Object.entries(windows)) {
      if (rate !== undefined) yield { attributes: { 'performance.slo.name': slo, window }, value: rate };
    }
  }
}

function* budgets(sources: MetricSources): Iterable<NumberPoint> {
  for (const { slo, budgetRemaining } of sources.burnRates()) {
    if (budgetRemaining !== undefined)
      yield { attributes: { 'performance.slo.name': slo }, value: budgetRemaining };
  }
}
