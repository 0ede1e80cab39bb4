import type { ComponentChildren } from 'preact';
import type { LatencySummary } from '../../statistics/latency-summary.js';
import type { OverviewOperation } from '../overview.js';
import { Change } from './change.js';
import { duration, NONE, number, percent } from './format.js';
import type { View } from './route.js';
import { Sparkline } from './sparkline.js';

/** The data of a cell. */
export interface Cell {
  readonly operation: OverviewOperation;
  /** Its figures within the selected period. */
  readonly figures: LatencySummary;
  /** The greatest excess time among the listed operations, in milliseconds. */
  readonly mostExcessMs: number;
}

export interface Column {
  readonly key: string;
  readonly label: string;
  readonly hint: string;
  /** The smallest window in which the column is shown. */
  readonly from?: 'tablet' | 'laptop';
  /** The sort key; rows without one come last. */
  value(operation: OverviewOperation, figures: LatencySummary): number | undefined;
  show(cell: Cell): ComponentChildren;
}

const HIGH_SLOW_PERCENTAGE = 5;

export const COLUMNS: readonly Column[] = [
  {
    key: 'excess',
    label: 'Excess time',
    hint: 'Total time above the thresholds since start or the last reset',
    value: ({ excessMs }) => excessMs,
    show: ({ operation, mostExcessMs }) => <ExcessTime ms={operation.excessMs} mostMs={mostExcessMs} />,
  },
  {
    key: 'calls',
    label: 'Calls/min',
    hint: 'Calls that ended in the last minute',
    from: 'tablet',
    value: ({ minute }) => minute.count,
    show: ({ operation }) => number(operation.minute.count),
  },
  {
    key: 'p50',
    label: 'p50',
    hint: '50 % of the calls took no longer (median)',
    from: 'laptop',
    value: (_, { p50 }) => p50,
    show: ({ figures }) => duration(figures.p50),
  },
  {
    key: 'p95',
    label: 'p95',
    hint: '95 % of the calls took no longer',
    value: (_, { p95 }) => p95,
    show: ({ figures, operation }) => (
      <span class={isOver(figures.p95, operation.thresholdMs) ? 'bad' : undefined}>
        {duration(figures.p95)}
      </span>
    ),
  },
  {
    key: 'p99',
    label: 'p99',
    hint: '99 % of the calls took no longer',
    from: 'laptop',
    value: (_, { p99 }) => p99,
    show: ({ figures, operation }) => (
      <span class={isOver(figures.p99, operation.thresholdMs) ? 'bad' : undefined}>
        {duration(figures.p99)}
      </span>
    ),
  },
  {
    key: 'slow',
    label: 'Slow',
    hint: 'Calls above the threshold, in percent',
    value: (_, { slowPercentage }) => slowPercentage,
    show: ({ figures: { count, slowPercentage } }) =>
      count === 0 ? (
        NONE
      ) : (
        <span class={slowPercentage > HIGH_SLOW_PERCENTAGE ? 'bad' : slowPercentage > 0 ? 'warn' : 'faint'}>
          {percent(slowPercentage)}
        </span>
      ),
  },
  {
    key: 'errors',
    label: 'Errors',
    hint: 'Failed calls',
    from: 'tablet',
    value: (_, { errorCount }) => errorCount,
    show: ({ figures: { errorCount } }) => (
      <span class={errorCount > 0 ? 'bad' : 'faint'}>{number(errorCount)}</span>
    ),
  },
  {
    key: 'change',
    label: 'vs baseline',
    hint: 'p50 of the last minute (of the last hour if that has fewer than 10 calls) divided by the baseline p50',
    from: 'tablet',
    value: ({ change }) => change?.ratio,
    show: ({ operation: { change } }) => <Change change={change} />,
  },
  {
    key: 'trend',
    label: 'Last hour',
    hint: 'Mean duration per minute; sorted by the last minute',
    from: 'tablet',
    value: ({ minute }) => minute.avgDuration,
    show: ({ operation: { sparkline } }) => <Sparkline values={sparkline} />,
  },
];

export function figuresOf(operation: OverviewOperation, { period }: Pick<View, 'period'>): LatencySummary {
  return operation[period];
}

function isOver(ms: number | undefined, thresholdMs: number | undefined): boolean {
  return ms !== undefined && thresholdMs !== undefined && ms > thresholdMs;
}

function ExcessTime({ ms, mostMs }: { ms: number; mostMs: number }) {
  if (ms <= 0) return <span class="faint">{NONE}</span>;
  return (
    <span class="excess">
      <span class="excess-bar" aria-hidden="true">
        <span style={{ width: `${Math.max(2, (ms / mostMs) * 100)}%` }} />
      </span>
      <strong>{duration(ms)}</strong>
    </span>
  );
}
