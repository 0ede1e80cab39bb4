import type { OverheadStatus } from '../../overhead/overhead.js';
import type { WatchdogStatus } from '../../process/event-loop-watchdog.js';
import type { ProfilingStatus } from '../../profiling/profiling.js';
import type { OverviewOverhead } from '../overview.js';
import { bytes, number, percent } from './format.js';
import { Section } from './section.js';
import { visible } from './text.js';

/** The module's own cost, and the data that its limits dropped. */
export function Overhead({ overhead }: { overhead: OverviewOverhead }) {
  const { streams, dropped } = overhead;
  const watchdog = overhead.watchdog as Partial<WatchdogStatus> | undefined;
  const profiling = overhead.profiling as Partial<ProfilingStatus> | undefined;
  const { operationsToOther, events, queries, calls = 0, errors = 0 } = dropped;
  const rows: [string, string, string][] = [
    ...ownRows(overhead.own),
    [
      'Event loop watchdog',
      stateOf(watchdog),
      `${number(watchdog?.captures)} stacks captured, ${number(watchdog?.skipped)} skipped`,
    ],
    [
      'Profiling',
      stateOf(profiling),
      profiling?.bytes === undefined
        ? ''
        : `last ${number(profiling.seconds)} s in ${bytes(profiling.bytes)}, one sample per ${number(profiling.intervalMs)} ms`,
    ],
    ['Live streams', number(streams), 'open pages'],
    [
      'Dropped by limits',
      number(operationsToOther + events + queries + calls + errors),
      `${number(operationsToOther)} operations counted as (other), ${number(events)} events, ${number(queries)} statements, ${number(calls)} calls, ${number(errors)} errors`,
    ],
  ];
  return (
    <Section id="overhead" title="Overhead">
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

/** The parts that are named, the dearest first. */
const NAMED = 4;

function ownRows(own: OverheadStatus): [string, string, string][] {
  const { cpuPercent, maxCpuPercent, microsecondsPerRequest, shed, memory } = own;
  const dearest = Object.entries(own.byPart)
    .sort(([, a], [, b]) => b.cpuPercent - a.cpuPercent)
    .slice(0, NAMED)
    .map(([part, cost]) => `${part} ${percent(cost.cpuPercent)}`);
  const each = microsecondsPerRequest === undefined ? [] : [`${number(microsecondsPerRequest)} µs a request`];
  const largest = Object.entries(memory.byPart)
    .sort(([, a], [, b]) => b.bytes - a.bytes)
    .slice(0, NAMED)
    .map(([part, held]) => `${part} ${bytes(held.bytes)}${held.reduced ? ' (reduced)' : ''}`);
  return [
    [
      'CPU time',
      `${percent(cpuPercent)} of a core`,
      [`budget ${percent(maxCpuPercent)}`, ...each, ...dearest].join(', '),
    ],
    ['Memory', bytes(memory.bytes), [`budget ${bytes(memory.maxBytes)}`, ...largest].join(', ')],
    ['Paused by these budgets', shed.length === 0 ? 'nothing' : shed.join(', '), ''],
  ];
}

function stateOf(status: { state?: string; reason?: string } | undefined): string {
  if (status?.state === undefined) return 'off';
  return status.reason === undefined ? status.state : `${status.state}: ${status.reason}`;
}
