import type { DriverStatus } from '../../operation/driver-status.js';

/** The first steps, shown while no operation is recorded. */
export function EmptyState({ drivers }: { drivers: readonly DriverStatus[] }) {
  const hasGaps = drivers.some(({ seen }) => !seen);
  return (
    <section class="panel empty-state" aria-labelledby="empty-state-title">
      <h2 id="empty-state-title">No operations recorded yet</h2>
      <ol>
        <li>
          <strong>Use the application.</strong> Open one of its routes. The first request appears here within
          two seconds.
        </li>
        <li>
          <strong>Track your own methods.</strong> Decorate a method with <code>@TrackPerformance()</code>, or
          wrap code in <code>withPerformanceTracking()</code>.
        </li>
        <li>
          <strong>Set thresholds.</strong> Use the options <code>httpThresholdMs</code> and{' '}
          <code>databaseThresholdMs</code>, and <code>@SlowThreshold()</code> on a route.
        </li>
        {hasGaps && (
          <li>
            <strong>Complete the instrumentation.</strong> Some libraries are not recorded: see{' '}
            <q>Instrumentation</q> below.
          </li>
        )}
      </ol>
    </section>
  );
}
