import type { Severity } from '../../explain/finding.js';
import type { Overview } from '../overview.js';
import { CallSiteLine } from './call-site.js';
import { type Discovery, discoveries } from './discoveries.js';
import { ago, duration, number } from './format.js';
import { CriticalIcon, InfoIcon, WarningIcon } from './icons.js';
import { address } from './route.js';
import { Section } from './section.js';
import { visible } from './text.js';

const ICONS: Record<Severity, () => preact.JSX.Element> = {
  critical: CriticalIcon,
  warning: WarningIcon,
  info: InfoIcon,
};

/** What detectors saw, what got slower, what drifts and what leaks: the gravest first. */
export function Findings({ overview }: { overview: Overview }) {
  const all = discoveries(overview);
  return (
    <Section id="findings" title="What was found" count={all.length}>
      {all.length === 0 ? (
        <p class="panel empty">
          Nothing so far: no N+1 queries, no calls in sequence, no blocked event loop, no regression and no
          leak.
        </p>
      ) : (
        <FindingList found={all} overview={overview} leads />
      )}
    </Section>
  );
}

/** @param leads whether a card leads to the operation that it is about, where it has no slow one to lead to */
export function FindingList(props: { found: readonly Discovery[]; overview: Overview; leads: boolean }) {
  const { found, overview, leads } = props;
  return (
    <ul class="findings">
      {found.map((one) => (
        <FindingCard key={one.key} found={one} overview={overview} leads={leads} />
      ))}
    </ul>
  );
}

function FindingCard(props: { found: Discovery; overview: Overview; leads: boolean }) {
  const { found, overview, leads } = props;
  const { severity, label, explanation, callSite, count, worstMs, totalMs, lastSeen, since, state, where } =
    found;
  const Icon = ICONS[severity];
  const isWhere = (one: { type: string; name: string }): boolean =>
    one.name === where?.name && (where.type ?? one.type) === one.type;
  // The very one that it was seen in, else the newest slow one of the same operation.
  const example = overview.slow.find(({ id }) => id === found.spanId) ?? overview.slow.find(isWhere);
  const operation = overview.operations.find(isWhere);
  return (
    <li class={`panel finding ${severity}`}>
      <p class="finding-head">
        <span class={`severity ${severity}`}>
          <Icon />
          {severity}
        </span>
        <strong>{label}</strong>
        {state !== undefined && <span class="chip">{state}</span>}
        {where !== undefined && <span class="mono soft clip">{visible(where.name, 200)}</span>}
      </p>
      <p class="explanation">{visible(explanation)}</p>
      {callSite !== undefined && <CallSiteLine callSite={callSite} />}
      <p class="facts">
        {count !== undefined && <span>seen {number(count)}×</span>}
        {worstMs !== undefined && worstMs > 0 && <span>worst {duration(worstMs)}</span>}
        {totalMs !== undefined && totalMs > 0 && <span>{duration(totalMs)} in all</span>}
        {since !== undefined && <span>for {duration(overview.at - since)}</span>}
        {lastSeen !== undefined && <span>last seen {ago(lastSeen, overview.at)}</span>}
        {example !== undefined && (
          <a href={address({ page: 'slow', id: example.id })}>See one that was slow</a>
        )}
        {leads && example === undefined && operation !== undefined && (
          <a href={address({ page: 'operation', type: operation.type, name: operation.name })}>
            See the operation
          </a>
        )}
      </p>
    </li>
  );
}
