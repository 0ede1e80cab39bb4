import type { DriverStatus } from '../../operation/driver-status.js';

/** What to do while nothing was recorded. */
export function NothingYet({ drivers }: { drivers: readonly DriverStatus[] }) {
  const unseen = drivers.filter(({ seen }) => !seen).length;
  return (
    <section class="panel nothing" aria-labelledby="nothing-title">
      <h2 id="nothing-title">Nothing was recorded yet</h2>
      <ol>
        <li>
          <strong>Use the application.</strong> Open one of its routes: the first request shows up here within
          two seconds.
        </li>
        <li>
          <strong>Watch your own methods.</strong> Put <code>@TrackPerformance()</code> on a method, or wrap a
          piece of code in <code>withPerformanceTracking()</code>.
        </li>
        <li>
          <strong>Say what is slow.</strong> Thresholds are the options <code>httpThresholdMs</code> and{' '}
          <code>databaseThresholdMs</code>, and <code>@SlowThreshold()</code> on a route.
        </li>
        {unseen > 0 && (
          <li>
            <strong>See all of the work.</strong> A library is not seen: what to do is told under{' '}
            <q>What is seen</q> below.
          </li>
        )}
      </ol>
    </section>
  );
}
