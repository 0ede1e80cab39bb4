import type { WatchdogStatus } from '../../process/event-loop-watchdog.js';
import type { ProfilingStatus } from '../../profiling/profiling.js';
import type { OverviewOverhead } from '../overview.js';
import { bytes, number } from './format.js';
import { Section } from './section.js';
import { visible } from './text.js';

/** What the module itself takes and leaves out, as far as it knows. */
export function Overhead({ overhead }: { overhead: OverviewOverhead }) {
  const { streams, dropped } = overhead;
  const watchdog = overhead.watchdog as Partial<WatchdogStatus> | undefined;
  const profiling = overhead.profiling as Partial<ProfilingStatus> | undefined;
  const lost = dropped.operationsToOther + dropped.events + dropped.queries;
  const rows: [string, string, string][] = [
    [
      'Watching the event loop',
      liveSpanOf(watchdog),
      `${number(watchdog?.captures)} stacks taken, ${number(watchdog?.skipped)} left out`,
    ],
    [
      'Profiling',
      liveSpanOf(profiling),
      profiling?.bytes === undefined
        ? ''
        : `the last ${number(profiling.seconds)} s in ${bytes(profiling.bytes)}, a sample every ${number(profiling.intervalMs)} ms`,
    ],
    ['Open pages', number(streams), 'streams of this page'],
    [
      'Turned away by bounds',
      number(lost),
      `${number(dropped.operationsToOther)} operations counted as (other), ${number(dropped.events)} events, ${number(dropped.queries)} statements`,
    ],
  ];
  return (
    <Section id="overhead" title="What it costs itself">
      <dl class="panel padded legend">
        {rows.map(([name, value, more]) => (
          <div key={name}>
            <dt>
              {name} <span class="soft">{visible(more, 300)}</span>
            </dt>
            <dd>
              <strong>{visible(value, 300)}</strong>
            </dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}

function liveSpanOf(status: { state?: string; reason?: string } | undefined): string {
  if (status?.state === undefined) return 'off';
  return status.reason === undefined ? status.state : `${status.state}: ${status.reason}`;
}
