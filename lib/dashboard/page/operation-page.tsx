import { useEffect, useState } from 'preact/hooks';
import type { LatencySummary } from '../../statistics/latency-summary.js';
import type { OperationDetail } from '../operation-detail.js';
import type { Overview } from '../overview.js';
import { Change } from './change.js';
import { DetailHead } from './detail-head.js';
import { findingItemsOf } from './finding-items.js';
import { FindingList } from './findings.js';
import { duration, number, percent } from './format.js';
import { Heatmap, History, TimeSpent } from './operation-charts.js';
import { OperationTables } from './operation-tables.js';
import type { Route } from './route.js';
import { Section } from './section.js';
import { SlowSection } from './slow-section.js';

const ROWS: readonly (readonly [name: string, show: (figures: LatencySummary) => string])[] = [
  ['Calls', ({ count }) => number(count)],
  ['Slow', ({ slowPercentage }) => percent(slowPercentage)],
  ['Failed', ({ errorCount }) => number(errorCount)],
  ['p50', ({ p50 }) => duration(p50)],
  ['p95', ({ p95 }) => duration(p95)],
  ['p99', ({ p99 }) => duration(p99)],
  ['Mean', ({ avgDuration }) => duration(avgDuration)],
  ['Maximum', ({ maxDuration }) => duration(maxDuration)],
];
const WINDOWS = [
  ['minute', 'Minute'],
  ['hour', 'Hour'],
  ['day', 'Day'],
  ['lifetime', 'Since start'],
] as const;

/** One operation: where its time goes, its latencies over time, and what is behind its slow and failed executions. */
export function OperationPage(props: { route: Route & { page: 'operation' }; overview: Overview }) {
  const { route, overview } = props;
  const { type, name } = route;
  const { at: now } = overview;
  const detail = useDetail(type, name, now);
  const items = findingItemsOf(overview, type, name).filter((one) => one.type !== 'errors');
  const change = overview.operations.find((one) => one.type === type && one.name === name)?.change;
  return (
    <>
      <DetailHead title={name} type={type}>
        {typeof detail === 'object' ? (
          <>
            <span class="took">{duration(detail.excessMs)} excess time</span>
            <span>{duration(detail.totalMs)} total time</span>
            {detail.thresholdMs !== undefined && <span>threshold {duration(detail.thresholdMs)}</span>}
            <span>{number(detail.figures.minute.count)} calls in the last minute</span>
            {change !== undefined && <Change change={change} />}
          </>
        ) : (
          <span>{detail ?? 'Loading…'}</span>
        )}
      </DetailHead>
      {items.length > 0 && (
        <Section id="findings" title="Findings" count={items.length}>
          <FindingList items={items} overview={overview} linksToOperation={false} />
        </Section>
      )}
      {typeof detail === 'object' && (
        <>
          <div class="columns">
            {detail.work !== undefined && (
              <Section id="time" title="Where its time goes">
                <TimeSpent work={detail.work} periods={detail.periods} now={now} />
              </Section>
            )}
            {detail.heatmap !== undefined && (
              <Section id="latencies" title="Latencies">
                <Heatmap heatmap={detail.heatmap} now={now} />
              </Section>
            )}
            <Section id="figures" title="Figures">
              <Figures figures={detail.figures} />
            </Section>
            <Section id="history" title="History">
              <History detail={detail} now={now} />
            </Section>
          </div>
          <OperationTables detail={detail} route={route} now={now} />
        </>
      )}
      <SlowSection
        key={`${type} ${name}`}
        title="Slow executions"
        of={{ type, name }}
        view={route.slow}
        now={now}
      />
    </>
  );
}

function Figures({ figures }: Pick<OperationDetail, 'figures'>) {
  return (
    <div class="panel padded">
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">
              <span class="hidden">Figure</span>
            </th>
            {WINDOWS.map(([window, label]) => (
              <th key={window} scope="col">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {ROWS.map(([label, show]) => (
            <tr key={label}>
              <th scope="row">{label}</th>
              {WINDOWS.map(([window]) => (
                <td key={window}>{show(figures[window])}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const REPEAT_MS = 5000;
const FAILURES: Readonly<Record<number, string>> = {
  404: 'No figures: this operation has not ended since the start or the last reset.',
};

/** The data of an operation, loaded again as time passes; a sentence if it could not be loaded. */
function useDetail(type: string, name: string, now: number): OperationDetail | string | undefined {
  const key = `${type} ${name}`;
  const [known, setKnown] = useState<{ key: string; detail?: OperationDetail | string }>({ key });
  const period = Math.floor(now / REPEAT_MS);
  useEffect(() => {
    const abort = new AbortController();
    const load = async (): Promise<void> => {
      const response = await fetch(`operation?${new URLSearchParams({ type, name })}`, {
        signal: abort.signal,
      });
      const detail = response.ok ? ((await response.json()) as OperationDetail) : FAILURES[response.status];
      setKnown({ key, detail: detail ?? 'The figures could not be loaded.' });
    };
    load().catch(() => {});
    return () => abort.abort();
  }, [key, period]);
  return known.key === key ? known.detail : undefined;
}
