import type { CoursePeriod } from '../../baseline/operation-course.js';
import type { LatencyHeatmap } from '../../statistics/latency-heatmap.js';
import type { WorkSummary } from '../../statistics/operation-window.js';
import type { OperationDetail } from '../operation-detail.js';
import { CHART, Chart } from './chart.js';
import { duration, moment, number, plural, share } from './format.js';
import { linePaths } from './line-paths.js';
import { StackedBar } from './stacked-bar.js';

const { width: WIDTH, height: HEIGHT } = CHART;

/** The parts of the time of an operation in the order of the statistics, with the class of their color. */
const PARTS: readonly (readonly [name: string, tone: string])[] = [
  ['Database', 'cause-database'],
  ['Cache', 'cause-cache'],
  ['Outgoing calls', 'cause-external'],
  ['Messaging', 'cause-messaging'],
  ['RPC', 'cause-rpc'],
  ['Connection pool', 'cause-connection_pool'],
  ['Event loop busy', 'cause-cpu'],
  ['Waiting', 'cause-waiting'],
];

/** Where the time of all executions goes: on average, and over time as far as it is kept. */
export function TimeSpent(props: { work: WorkSummary; periods: readonly CoursePeriod[]; now: number }) {
  const { work, periods, now } = props;
  const wholeMs = work.partsMs.reduce((sum, ms) => sum + ms, 0) || 1;
  const parts = PARTS.flatMap(([name, tone], index) => {
    const ms = work.partsMs[index] ?? 0;
    return ms / wholeMs < 0.001 ? [] : [{ name, tone, index, ms, part: ms / wholeMs }];
  });
  const measured = periods.filter(({ partsMs }) => partsMs !== undefined);
  const most = Math.max(0, ...measured.map(({ partsMs = [] }) => partsMs.reduce((sum, ms) => sum + ms, 0)));
  const step = WIDTH / measured.length;
  return (
    <div class="panel padded">
      <StackedBar
        parts={parts.map(({ name, tone, part }) => ({
          key: name,
          share: part,
          tone,
          title: `${name}: ${share(part)}`,
        }))}
      />
      <dl class="legend">
        {parts.map(({ name, tone, ms, part }) => (
          <div key={name}>
            <dt>
              <span class={`swatch ${tone}`} aria-hidden="true" />
              {name}
            </dt>
            <dd>
              {duration(ms)} <strong>{share(part)}</strong>
            </dd>
          </div>
        ))}
      </dl>
      <p class="note">
        Mean of {plural(work.count, 'execution')} since the start, with {number(work.statements)} statements
        each.
      </p>
      {measured.length > 1 && most > 0 && (
        <Chart
          label={`Time per execution by cause over ${measured.length} periods, up to ${duration(most)}`}
          scale={[duration(most), '0 ms']}
          times={[moment(measured[0]?.from ?? now, now), moment(measured.at(-1)?.to ?? now, now)]}
        >
          {measured.map(({ partsMs = [], from, to }, column) => {
            let below = 0;
            return parts.map(({ name, tone, index }) => {
              const height = ((partsMs[index] ?? 0) / most) * HEIGHT;
              below += height;
              return (
                <rect
                  key={`${from} ${name}`}
                  class={`fill ${tone}`}
                  x={column * step}
                  y={HEIGHT - below}
                  width={step * 0.96}
                  height={height}
                >
                  <title>
                    {name}: {duration(partsMs[index])}, {moment(from, now)} to {moment(to, now)}
                  </title>
                </rect>
              );
            });
          })}
        </Chart>
      )}
    </div>
  );
}

/** The distribution of latencies over time: a darker cell has a greater share of the executions of its period. */
export function Heatmap({ heatmap, now }: { heatmap: LatencyHeatmap; now: number }) {
  const { periods, boundsMs, counts } = heatmap;
  const rows = boundsMs.length - 1;
  const [width, height] = [WIDTH / periods.length, HEIGHT / rows];
  return (
    <div class="panel padded">
      <Chart
        label={`Latencies from ${duration(boundsMs[0])} to ${duration(boundsMs[rows])} in ${periods.length} periods`}
        scale={[rows, Math.round(rows / 2), 0].map((row) => duration(boundsMs[row]))}
        times={[moment(periods[0]?.from ?? now, now), moment(Math.min(now, periods.at(-1)?.to ?? now), now)]}
      >
        {counts.flatMap((column, x) => {
          const count = column.reduce((sum, each) => sum + each, 0);
          return column.map((cell, row) =>
            cell === 0 ? null : (
              <rect
                key={`${x} ${row}`}
                class="fill heat"
                x={x * width}
                y={HEIGHT - (row + 1) * height}
                width={width * 0.97}
                height={height * 0.94}
                fill-opacity={Math.max(0.12, Math.sqrt(cell / count))}
              >
                <title>
                  {duration(boundsMs[row])} to {duration(boundsMs[row + 1])}: {number(cell)} of{' '}
                  {plural(count, 'execution')}, {moment(periods[x]?.from ?? now, now)}
                </title>
              </rect>
            ),
          );
        })}
      </Chart>
      <p class="note">
        Logarithmic scale. A column is 10 s of the last minute, 10 min of the last hour, or 4 h of the last
        day.
      </p>
    </div>
  );
}

/** The p50 and p99 over hours and days, with marks where this version and this process started. */
export function History({ detail, now }: { detail: OperationDetail; now: number }) {
  const { periods, deploys, versions } = detail;
  const { version, previousVersion, baseline, previous } = versions;
  const from = periods[0]?.from ?? now;
  const to = periods.at(-1)?.to ?? now;
  const most = Math.max(0.001, ...periods.map(({ p50Ms, p99Ms = 0 }) => Math.max(p50Ms, p99Ms)));
  const x = (at: number): number => ((at - from) / Math.max(1, to - from)) * WIDTH;
  const line = (valueAt: (period: CoursePeriod) => number | undefined): string =>
    linePaths(
      periods.map(valueAt),
      (index) => x(((periods[index]?.from ?? 0) + (periods[index]?.to ?? 0)) / 2),
      (value) => HEIGHT * (1 - value / most),
      HEIGHT,
    ).line;
  const marks = deploys.filter(({ at }) => at > from && at < to);
  const rows = [
    { name: 'Previous version', of: previousVersion, figures: previous },
    { name: 'Baseline', of: version, figures: baseline },
  ].filter(({ figures }) => figures !== undefined);
  return (
    <div class="panel padded">
      {periods.length > 1 && (
        <>
          <p class="facts">
            <span>
              <span class="swatch line-p50" aria-hidden="true" />
              p50
            </span>
            <span>
              <span class="swatch line-p99" aria-hidden="true" />
              p99
            </span>
            {marks.map(({ at, what }) => (
              <span key={what}>
                {what === 'version' ? `version ${version ?? ''} since` : 'process started'} {moment(at, now)}
              </span>
            ))}
          </p>
          <Chart
            label={`p50 and p99 over ${duration(to - from)}, up to ${duration(most)}`}
            scale={[duration(most), duration(most / 2), '0 ms']}
            times={[moment(from, now), moment(to, now)]}
          >
            <path class="line line-p99" d={line(({ p99Ms }) => p99Ms)} />
            <path class="line line-p50" d={line(({ p50Ms }) => p50Ms)} />
            {marks.map(({ at, what }) => (
              <path key={what} class="line line-mark" d={`M${x(at)} 0V${HEIGHT}`} />
            ))}
          </Chart>
        </>
      )}
      {rows.length > 0 && (
        <table class="plain">
          <thead>
            <tr>
              {['Version', 'p50', 'p95', 'p99'].map((head) => (
                <th key={head} scope="col">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ name, of, figures }) => (
              <tr key={name}>
                <th scope="row">
                  {name} {of}
                </th>
                <td>{duration(figures?.p50Ms)}</td>
                <td>{duration(figures?.p95Ms)}</td>
                <td>{duration(figures?.p99Ms)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {rows.length === 0 && periods.length < 2 && (
        <p class="soft">Not enough executions yet: a period has at least a minute and 30 executions.</p>
      )}
    </div>
  );
}
