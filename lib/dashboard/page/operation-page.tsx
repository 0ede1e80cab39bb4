import type { LatencySummary } from '../../statistics/operation-statistics.js';
import type { Overview } from '../overview.js';
import { Change } from './change.js';
import { DetailHead } from './detail-head.js';
import { findingItemsOf } from './finding-items.js';
import { FindingList } from './findings.js';
import { duration, number, percent } from './format.js';
import type { Route } from './route.js';
import { Section } from './section.js';
import { SlowSection } from './slow-section.js';
import { Sparkline } from './sparkline.js';

const ROWS: readonly (readonly [name: string, show: (figures: LatencySummary) => string])[] = [
  ['Calls', ({ count }) => number(count)],
  ['Slow', ({ slowCount, slowPercentage }) => `${number(slowCount)} (${percent(slowPercentage)})`],
  ['Failed', ({ errorCount }) => number(errorCount)],
  ['p50', ({ p50 }) => duration(p50)],
  ['p95', ({ p95 }) => duration(p95)],
  ['p99', ({ p99 }) => duration(p99)],
  ['Mean', ({ avgDuration }) => duration(avgDuration)],
  ['Maximum', ({ maxDuration }) => duration(maxDuration)],
];

/** One operation: its figures, findings and slow executions. */
export function OperationPage(props: { route: Route & { page: 'operation' }; overview: Overview }) {
  const { route, overview } = props;
  const { type, name } = route;
  const operation = overview.operations.find((one) => one.type === type && one.name === name);
  const items = findingItemsOf(overview, type, name);
  return (
    <>
      <DetailHead title={name} type={type}>
        {operation === undefined ? (
          <span>
            No figures: this operation is not among the {overview.operations.length} most expensive.
          </span>
        ) : (
          <>
            <span class="took">{duration(operation.excessMs)} excess time</span>
            <span>{duration(operation.totalMs)} total time</span>
            {operation.thresholdMs !== undefined && <span>threshold {duration(operation.thresholdMs)}</span>}
            <span>{number(operation.minute.count)} calls in the last minute</span>
          </>
        )}
      </DetailHead>
      {operation !== undefined && (
        <div class="columns">
          <Section id="figures" title="Figures">
            <div class="panel padded">
              <table class="plain">
                <thead>
                  <tr>
                    <th scope="col">
                      <span class="hidden">Figure</span>
                    </th>
                    <th scope="col">Last minute</th>
                    <th scope="col">Since start</th>
                  </tr>
                </thead>
                <tbody>
                  {ROWS.map(([label, show]) => (
                    <tr key={label}>
                      <th scope="row">{label}</th>
                      <td>{show(operation.minute)}</td>
                      <td>{show(operation.lifetime)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </Section>
          <Section id="history" title="Last hour">
            <div class="panel padded hourly">
              <Sparkline values={operation.sparkline} />
              <p class="facts">
                <span>mean duration per minute</span>
                {operation.change !== undefined && (
                  <>
                    <Change change={operation.change} />
                    <span>baseline p95 {duration(operation.change.baselineP95Ms)}</span>
                  </>
                )}
              </p>
            </div>
          </Section>
        </div>
      )}
      {items.length > 0 && (
        <Section id="findings" title="Findings" count={items.length}>
          <FindingList items={items} overview={overview} linksToOperation={false} />
        </Section>
      )}
      <SlowSection
        key={`${type} ${name}`}
        title="Slow executions"
        of={{ type, name }}
        view={route.slow}
        now={overview.at}
      />
    </>
  );
}
