import type { CallSite } from '../../code/call-site.js';
import { type Finding, type FindingType, SEVERITIES, type Severity } from '../../explain/finding.js';
import type { Overview } from '../overview.js';

/** Whatever is worth a card among the findings. Moments are milliseconds since 1970. */
export interface Discovery {
  readonly key: string;
  readonly severity: Severity;
  readonly label: string;
  readonly explanation: string;
  /** The operation, where it is about one. */
  readonly where?: { readonly type?: string; readonly name: string };
  readonly state?: string;
  readonly callSite?: CallSite;
  readonly spanId?: string;
  readonly count?: number;
  readonly worstMs?: number;
  readonly totalMs?: number;
  readonly since?: number;
  readonly lastSeen?: number;
}

const LABELS: Record<FindingType, string> = {
  n_plus_one: 'N+1 queries',
  duplicate_queries: 'Duplicate queries',
  sequential_calls: 'Calls in sequence',
  event_loop_block: 'Event loop blocked',
  regression: 'Regression',
  trend: 'Trend',
  memory_leak: 'Memory leak',
};

/** From twice as much on it is critical, as among the findings. */
const CRITICAL_CHANGE = 1;

/** What is known, the gravest first. What is listed as a regression, trend or leak is no finding besides. */
export function discoveries(overview: Overview): Discovery[] {
  const all = [
    ...regressions(overview),
    ...leaks(overview),
    ...trends(overview),
    ...overview.findings.filter((one) => !isTold(one, overview)).map(fromFinding),
  ];
  const weight = ({ severity, totalMs = 0 }: Discovery): number =>
    SEVERITIES.indexOf(severity) * 1e12 + Math.min(totalMs, 1e11);
  return all.sort((a, b) => weight(b) - weight(a));
}

/** Those that are about one operation. */
export function discoveriesOf(overview: Overview, type: string, name: string): Discovery[] {
  return discoveries(overview).filter(({ where }) => where?.name === name && (where.type ?? type) === type);
}

function isTold({ type, route }: Finding, { regressions, trends, leaks }: Overview): boolean {
  if (type === 'regression') return regressions.some(({ name }) => name === route);
  if (type === 'trend') return trends.length > 0;
  return type === 'memory_leak' && leaks.length > 0;
}

function fromFinding(finding: Finding): Discovery {
  const { id, type, severity, route, explanation, callSite, spanId, count, worstMs, totalMs, lastSeen } =
    finding;
  return {
    key: `finding ${id}`,
    severity,
    label: LABELS[type],
    explanation,
    ...(route === '(process)' ? {} : { where: { name: route } }),
    ...(callSite === undefined ? {} : { callSite }),
    spanId,
    count,
    worstMs,
    totalMs,
    lastSeen,
  };
}

function regressions({ regressions }: Overview): Discovery[] {
  return regressions.map(({ id, type, name, metric, state, change, explanation, since, overAt }) => {
    const isGrave = change >= CRITICAL_CHANGE || metric === 'error_rate';
    return {
      key: `regression ${id}`,
      severity: state === 'over' ? 'info' : isGrave ? 'critical' : 'warning',
      label: LABELS.regression,
      explanation,
      where: { type, name },
      state,
      ...(state === 'over' && overAt !== undefined ? { lastSeen: overAt } : { since }),
    };
  });
}

function trends({ trends }: Overview): Discovery[] {
  return trends.map(({ subject, forecast, explanation, from }) => ({
    key: `trend ${subject.kind} ${subject.kind === 'operation' ? subject.type : ''} ${subject.name}`,
    severity: forecast === undefined ? 'info' : 'warning',
    label: LABELS.trend,
    explanation,
    ...(subject.kind === 'operation' ? { where: { type: subject.type, name: subject.name } } : {}),
    since: from,
  }));
}

function leaks({ leaks }: Overview): Discovery[] {
  return leaks.map(({ memory, state, explanation, since }) => ({
    key: `leak ${memory}`,
    severity: state === 'confirmed' ? 'critical' : 'warning',
    label: LABELS.memory_leak,
    explanation,
    state,
    since,
  }));
}
