import type { ComponentChildren } from 'preact';
import type { LatencySummary } from '../../statistics/operation-statistics.js';
import type { OverviewOperation } from '../overview.js';
import { Change } from './change.js';
import { duration, NONE, number, percent } from './format.js';
import type { View } from './route.js';
import { Sparkline } from './sparkline.js';

/** What a cell is made of. */
export interface Cell {
  readonly operation: OverviewOperation;
  /** Its figures within the period that is looked at. */
  readonly figures: LatencySummary;
  /** The most time that one of the operations has lost, in milliseconds. */
  readonly mostExcessMs: number;
}

export interface Column {
  readonly key: string;
  readonly label: string;
  readonly hint: string;
  /** From how wide a window on it is shown. */
  readonly from?: 'tablet' | 'laptop';
  /** What rows are sorted by; rows without it come last. */
  value(operation: OverviewOperation, figures: LatencySummary): number | undefined;
  show(cell: Cell): ComponentChildren;
}

const HIGH_SLOW_PERCENTAGE = 5;

export const COLUMNS: readonly Column[] = [
  {
    key: 'lost',
    label: 'Time lost',
    hint: 'By how much slow ones were over their thresholds, added up since counting began',
    value: ({ excessMs }) => excessMs,
    show: ({ operation, mostExcessMs }) => <Lost ms={operation.excessMs} mostMs={mostExcessMs} />,
  },
  {
    key: 'calls',
    label: 'Calls/min',
    hint: 'Operations that ended within the last minute',
    from: 'tablet',
    value: ({ minute }) => minute.count,
    show: ({ operation }) => number(operation.minute.count),
  },
  {
    key: 'p50',
    label: 'p50',
    hint: 'Half of them took no longer',
    from: 'laptop',
    value: (_, { p50 }) => p50,
    show: ({ figures }) => duration(figures.p50),
  },
  {
    key: 'p95',
    label: 'p95',
    hint: '95 % of them took no longer',
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
    hint: '99 % of them took no longer',
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
    hint: 'The share that took longer than the threshold',
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
    hint: 'Operations that failed',
    from: 'tablet',
    value: (_, { errorCount }) => errorCount,
    show: ({ figures: { errorCount } }) => (
      <span class={errorCount > 0 ? 'bad' : 'faint'}>{number(errorCount)}</span>
    ),
  },
  {
    key: 'change',
    label: 'Against usual',
    hint: 'The median of the last minutes over what is usual',
    from: 'tablet',
    value: ({ change }) => change?.ratio,
    show: ({ operation: { change } }) => <Change change={change} />,
  },
  {
    key: 'trend',
    label: 'Last hour',
    hint: 'The mean duration of each minute; sorted by the one of the last minute',
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

function Lost({ ms, mostMs }: { ms: number; mostMs: number }) {
  if (ms <= 0) return <span class="faint">{NONE}</span>;
  return (
    <span class="lost">
      <span class="lost-bar" aria-hidden="true">
        <span style={{ width: `${Math.max(2, (ms / mostMs) * 100)}%` }} />
      </span>
      <strong>{duration(ms)}</strong>
    </span>
  );
}
