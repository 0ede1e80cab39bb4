import type { Regression } from '../baseline/regression.js';
import type { Trend } from '../baseline/trend.js';
import type { Leak } from '../leaks/leak.js';
import type { Observation } from './finding.js';

/** Twice as much is critical. */
const CRITICAL_CHANGE = 1;
/** Findings of the process belong to no operation. */
const PROCESS = '(process)';

/** With the time that the regression has cost since it began, over all operations. */
export function observeRegression(regression: Regression): Observation {
  const { type, name, metric, before, now, count, change, explanation } = regression;
  return {
    type: 'regression',
    severity: change >= CRITICAL_CHANGE || metric === 'error_rate' ? 'critical' : 'warning',
    fingerprint: `${type} ${metric}`,
    route: name,
    repetitions: count,
    ms: metric === 'latency' ? Math.max(0, now - before) * count : 0,
    traceId: '',
    spanId: '',
    explanation,
  };
}

export function observeTrend({ subject, unit, forecast, explanation }: Trend): Observation {
  return {
    type: 'trend',
    severity: forecast === undefined ? 'info' : 'warning',
    fingerprint: `${subject.name} ${unit}`,
    route: subject.kind === 'operation' ? subject.name : PROCESS,
    repetitions: 1,
    ms: 0,
    traceId: '',
    spanId: '',
    explanation,
  };
}

/** A finding of the process, whichever operations are suspected: else one leak would be several findings. */
export function observeLeak({ memory, state, explanation }: Leak): Observation {
  return {
    type: 'memory_leak',
    severity: state === 'confirmed' ? 'critical' : 'warning',
    fingerprint: memory,
    route: PROCESS,
    repetitions: 1,
    ms: 0,
    traceId: '',
    spanId: '',
    explanation,
  };
}
