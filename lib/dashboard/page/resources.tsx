import { useState } from 'preact/hooks';
import type { Overview, OverviewResources } from '../overview.js';
import { duration, megabytes, moment, percent } from './format.js';
import { LaneChart } from './lane-chart.js';
import { Section } from './section.js';
import { SlowMarkers } from './slow-markers.js';

type Column = Exclude<keyof OverviewResources, 'at' | 'heapLimitMb'>;

interface Lane {
  readonly name: string;
  readonly series: readonly { readonly column: Column; readonly label: string; readonly color: string }[];
  readonly show: (value: number) => string;
  /** The minimum end of the scale. */
  readonly top: number;
}

const LANES: readonly Lane[] = [
  {
    name: 'Memory',
    series: [
      { column: 'rssMb', label: 'resident', color: '--rss' },
      { column: 'heapUsedMb', label: 'heap', color: '--heap' },
    ],
    show: megabytes,
    top: 32,
  },
  {
    name: 'CPU',
    series: [{ column: 'cpuPercent', label: 'of one core', color: '--cpu' }],
    show: percent,
    top: 50,
  },
  {
    name: 'Event loop',
    series: [{ column: 'eventLoopUtilization', label: 'busy', color: '--loop' }],
    show: (value) => percent(value * 100),
    top: 1,
  },
  {
    name: 'Event loop delay',
    series: [{ column: 'eventLoopDelayMaxMs', label: 'maximum', color: '--delay' }],
    show: duration,
    top: 20,
  },
  {
    name: 'Garbage collection',
    series: [{ column: 'gcPauseMs', label: 'pauses', color: '--gc' }],
    show: duration,
    top: 10,
  },
];

/** Charts of the process's resources on one time axis, with the slow operations above them. */
export function Resources({ overview }: { overview: Overview }) {
  const { resources, slow, at: now } = overview;
  const { at } = resources;
  const [pointed, setPointed] = useState<number | undefined>();
  const index = pointed !== undefined && pointed < at.length ? pointed : at.length - 1;
  if (at.length < 2)
    return (
      <Section id="resources" title="Resources">
        <p class="panel empty">Waiting for the first samples.</p>
      </Section>
    );
  const to = at.at(-1) ?? now;
  const from = at[0] ?? to;
  const shown = slow.filter(({ timestamp }) => timestamp >= from && timestamp <= to);
  return (
    <Section
      id="resources"
      title="Resources"
      aside={
        <span class="facts">
          {pointed === undefined ? `last ${duration(to - from)}` : `at ${moment(at[index] ?? to, now)}`}
        </span>
      }
    >
      <div class="panel padded lanes">
        <SlowMarkers slow={shown} from={from} to={to} now={now} />
        {LANES.map(({ name, series, show, top }, place) => (
          <div key={name} class="lane">
            <div class="lane-label">
              <strong>{name}</strong>
              {series.map(({ column, label, color }) => {
                const value = resources[column][index] ?? undefined;
                return (
                  <span key={column}>
                    <span class="swatch" style={{ backgroundColor: `var(${color})` }} aria-hidden="true" />
                    {label} <span class="figure">{value === undefined ? '–' : show(value)}</span>
                  </span>
                );
              })}
            </div>
            <LaneChart
              label={`${name} over the last ${duration(to - from)}`}
              at={at}
              series={series.map(({ column, color }) => ({ color, values: resources[column] }))}
              show={show}
              top={top}
              marks={shown.map(({ timestamp }) => timestamp)}
              hasTimes={place === LANES.length - 1}
              pointed={pointed === undefined ? undefined : index}
              point={setPointed}
            />
          </div>
        ))}
      </div>
    </Section>
  );
}
