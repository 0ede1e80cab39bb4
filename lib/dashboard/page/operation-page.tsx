import type { LatencySummary } from '../../statistics/operation-statistics.js';
import type { Overview } from '../overview.js';
import { Change } from './change.js';
import { DetailHead } from './detail-head.js';
import { discoveriesOf } from './discoveries.js';
import { FindingList } from './findings.js';
import { duration, number, percent } from './format.js';
import { Section } from './section.js';
import { SlowList } from './slow-list.js';
import { Sparkline } from './sparkline.js';

const ROWS: readonly (readonly [name: string, show: (figures: LatencySummary) => string])[] = [
  ['Operations', ({ count }) => number(count)],
  ['Slow', ({ slowCount, slowPercentage }) => `${number(slowCount)} (${percent(slowPercentage)})`],
  ['Failed', ({ errorCount }) => number(errorCount)],
  ['p50', ({ p50 }) => duration(p50)],
  ['p95', ({ p95 }) => duration(p95)],
  ['p99', ({ p99 }) => duration(p99)],
  ['Mean', ({ avgDuration }) => duration(avgDuration)],
  ['Longest', ({ maxDuration }) => duration(maxDuration)],
];

/** One operation: its figures, what was found about it, and its slow times. */
export function OperationPage({ type, name, overview }: { type: string; name: string; overview: Overview }) {
  const operation = overview.operations.find((one) => one.type === type && one.name === name);
  const found = discoveriesOf(overview, type, name);
  const slow = overview.slow.filter((one) => one.type === type && one.name === name);
  return (
    <>
      <DetailHead title={name} type={type}>
        {operation === undefined ? (
          <span>It is not among the operations that cost most, so its figures are not shown here.</span>
        ) : (
          <>
            <span class="took">{duration(operation.excessMs)} lost</span>
            <span>{duration(operation.totalMs)} in all</span>
            {operation.thresholdMs !== undefined && (
              <span>slow from {duration(operation.thresholdMs)} on</span>
            )}
            <span>{number(operation.minute.count)} calls within the last minute</span>
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
          <Section id="course" title="The last hour">
            <div class="panel padded course">
              <Sparkline values={operation.sparkline} />
              <p class="facts">
                <span>the mean of each minute</span>
                {operation.change !== undefined && (
                  <>
                    <Change change={operation.change} />
                    <span>usual p95 {duration(operation.change.usualP95Ms)}</span>
                  </>
                )}
              </p>
            </div>
          </Section>
        </div>
      )}
      {found.length > 0 && (
        <Section id="findings" title="What was found" count={found.length}>
          <FindingList found={found} overview={overview} leads={false} />
        </Section>
      )}
      <Section id="slow" title="Its slow times" count={slow.length}>
        <SlowList slow={slow} now={overview.at} />
      </Section>
    </>
  );
}
