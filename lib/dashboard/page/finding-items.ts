import type { CallSite } from '../../code/call-site.js';
import { type Finding, type FindingType, SEVERITIES, type Severity } from '../../explain/finding.js';
import type { StatementPlan } from '../../plans/statement-plan.js';
import type { Overview } from '../overview.js';

/** A card in the list of findings: a finding, regression, trend or leak. Times are milliseconds since 1970. */
export interface FindingItem {
  readonly key: string;
  readonly type: FindingType;
  readonly severity: Severity;
  readonly label: string;
  readonly explanation: string;
  /** The operation that it concerns, if any. */
  readonly subject?: { readonly type?: string; readonly name: string };
  readonly state?: string;
  readonly callSite?: CallSite;
  /** The repeated statement or call, without literals. */
  readonly statement?: string;
  readonly plan?: StatementPlan;
  readonly spanId?: string;
  /** Of an error: its finding, which may have a log. */
  readonly findingId?: string;
  readonly count?: number;
  readonly worstMs?: number;
  readonly totalMs?: number;
  readonly since?: number;
  readonly lastSeen?: number;
}

const LABELS: Record<FindingType, string> = {
  n_plus_one: 'N+1 queries',
  duplicate_queries: 'Duplicate queries',
  sequential_calls: 'Sequential calls',
  event_loop_block: 'Event loop blocked',
  overlapping_runs: 'Overlapping runs',
  missed_runs: 'Missed runs',
  errors: 'Errors',
  regression: 'Regression',
  trend: 'Trend',
  memory_leak: 'Memory leak',
};

/** Findings whose fingerprint is a statement or a call. */
const REPEATS: ReadonlySet<FindingType> = new Set(['n_plus_one', 'duplicate_queries']);

/** A regression to at least twice the baseline is critical. */
const CRITICAL_CHANGE = 1;

/** All cards, the most severe first. A finding that is also listed as a regression, trend or leak appears once. */
export function findingItems(overview: Overview): FindingItem[] {
  const all = [
    ...regressions(overview),
    ...leaks(overview),
    ...trends(overview),
    ...overview.findings.filter((one) => !isListedElsewhere(one, overview)).map(fromFinding),
  ];
  const weight = ({ severity, totalMs = 0 }: FindingItem): number =>
    SEVERITIES.indexOf(severity) * 1e12 + Math.min(totalMs, 1e11);
  return all.sort((a, b) => weight(b) - weight(a));
}

/** The cards of one operation. */
export function findingItemsOf(overview: Overview, type: string, name: string): FindingItem[] {
  return findingItems(overview).filter(
    ({ subject }) => subject?.name === name && (subject.type ?? type) === type,
  );
}

function isListedElsewhere({ type, route }: Finding, { regressions, trends, leaks }: Overview): boolean {
  if (type === 'regression') return regressions.some(({ name }) => name === route);
  if (type === 'trend') return trends.length > 0;
  return type === 'memory_leak' && leaks.length > 0;
}

function fromFinding(finding: Finding): FindingItem {
  const { id, type, severity, route, explanation, callSite, plan, spanId } = finding;
  const { count, worstMs, totalMs, lastSeen } = finding;
  return {
    key: `finding ${id}`,
    type,
    severity,
    label: LABELS[type],
    explanation,
    ...(REPEATS.has(type) ? { statement: finding.fingerprint } : {}),
    ...(route === '(process)' ? {} : { subject: { name: route } }),
    ...(callSite === undefined ? {} : { callSite }),
    ...(plan === undefined ? {} : { plan }),
    spanId,
    ...(type === 'errors' ? { findingId: id } : {}),
    count,
    worstMs,
    totalMs,
    lastSeen,
  };
}

function regressions({ regressions }: Overview): FindingItem[] {
  return regressions.map(
    ({ id, type: operationType, name, metric, state, change, explanation, since, overAt }) => {
      const isCritical = change >= CRITICAL_CHANGE || metric === 'error_rate';
      return {
        key: `regression ${id}`,
        type: 'regression',
        severity: state === 'over' ? 'info' : isCritical ? 'critical' : 'warning',
        label: LABELS.regression,
        explanation,
        subject: { type: operationType, name },
        state,
        ...(state === 'over' && overAt !== undefined ? { lastSeen: overAt } : { since }),
      };
    },
  );
}

function trends({ trends }: Overview): FindingItem[] {
  return trends.map(({ subject, forecast, explanation, from }) => ({
    key: `trend ${subject.kind} ${subject.kind === 'operation' ? subject.type : ''} ${subject.name}`,
    type: 'trend',
    severity: forecast === undefined ? 'info' : 'warning',
    label: LABELS.trend,
    explanation,
    ...(subject.kind === 'operation' ? { subject: { type: subject.type, name: subject.name } } : {}),
    since: from,
  }));
}

function leaks({ leaks }: Overview): FindingItem[] {
  return leaks.map(({ memory, state, explanation, since }) => ({
    key: `leak ${memory}`,
    type: 'memory_leak',
    severity: state === 'confirmed' ? 'critical' : 'warning',
    label: LABELS.memory_leak,
    explanation,
    state,
    since,
  }));
}
