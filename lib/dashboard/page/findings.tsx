import { useState } from 'preact/hooks';
import type { Severity } from '../../explain/finding.js';
import type { Overview } from '../overview.js';
import { agentText } from './agent-text.js';
import { CallSiteLine, CopyButton } from './call-site.js';
import { type FindingItem, findingItems } from './finding-items.js';
import { ago, duration, number } from './format.js';
import { CriticalIcon, InfoIcon, WarningIcon } from './icons.js';
import { FindingLog } from './log-lines.js';
import { PlanNote } from './plan-note.js';
import { address } from './route.js';
import { Section } from './section.js';
import { visible } from './text.js';

const ICONS: Record<Severity, () => preact.JSX.Element> = {
  critical: CriticalIcon,
  warning: WarningIcon,
  info: InfoIcon,
};

/** Findings, regressions, trends and leaks, the most severe first. */
export function Findings({ overview }: { overview: Overview }) {
  const items = findingItems(overview);
  return (
    <Section id="findings" title="Findings" count={items.length}>
      {items.length === 0 ? (
        <p class="panel empty">
          None so far: no N+1 queries, sequential calls, event loop blocks, regressions or leaks.
        </p>
      ) : (
        <FindingList items={items} overview={overview} linksToOperation />
      )}
    </Section>
  );
}

/** @param linksToOperation whether a card without a slow execution links to its operation */
/** More cards are shown on request, so that what follows remains near. */
const SHOWN = 4;

export function FindingList(props: {
  items: readonly FindingItem[];
  overview: Overview;
  linksToOperation: boolean;
}) {
  const { items, overview, linksToOperation } = props;
  const [all, setAll] = useState(false);
  return (
    <>
      <ul class="findings">
        {(all ? items : items.slice(0, SHOWN)).map((item) => (
          <FindingCard key={item.key} item={item} overview={overview} linksToOperation={linksToOperation} />
        ))}
      </ul>
      {items.length > SHOWN && (
        <button type="button" class="more" onClick={() => setAll(!all)}>
          {all ? `Show the first ${SHOWN}` : `Show all ${number(items.length)} findings`}
        </button>
      )}
    </>
  );
}

function FindingCard(props: { item: FindingItem; overview: Overview; linksToOperation: boolean }) {
  const { item, overview, linksToOperation } = props;
  const { severity, label, explanation, callSite, count, worstMs, totalMs, lastSeen, since, state } = item;
  const { subject, plan } = item;
  const Icon = ICONS[severity];
  const isSubject = (one: { type: string; name: string }): boolean =>
    one.name === subject?.name && (subject.type ?? one.type) === one.type;
  // The execution with the finding, else the newest slow execution of the same operation.
  const example = overview.slow.find(({ id }) => id === item.spanId) ?? overview.slow.find(isSubject);
  const operation = overview.operations.find(isSubject);
  return (
    <li class={`panel finding ${severity}`}>
      <p class="finding-head">
        <span class={`severity ${severity}`}>
          <Icon />
          {severity}
        </span>
        <strong>{label}</strong>
        {state !== undefined && <span class="chip">{state}</span>}
        {subject !== undefined && <span class="mono soft clip">{visible(subject.name, 200)}</span>}
      </p>
      <p class="explanation">{visible(explanation)}</p>
      {callSite !== undefined && <CallSiteLine callSite={callSite} />}
      {plan !== undefined && <PlanNote plan={plan} />}
      <p class="facts">
        {count !== undefined && <span>found {number(count)}×</span>}
        {worstMs !== undefined && worstMs > 0 && <span>worst {duration(worstMs)}</span>}
        {totalMs !== undefined && totalMs > 0 && <span>total {duration(totalMs)}</span>}
        {since !== undefined && <span>for {duration(overview.at - since)}</span>}
        {lastSeen !== undefined && <span>last seen {ago(lastSeen, overview.at)}</span>}
        {example !== undefined && <a href={address({ page: 'slow', id: example.id })}>Slow execution</a>}
        {linksToOperation && example === undefined && operation !== undefined && (
          <a href={address({ page: 'operation', type: operation.type, name: operation.name })}>Operation</a>
        )}
        <CopyButton text={() => agentText(item, overview)} what="for an agent">
          Copy for an agent
        </CopyButton>
      </p>
      {overview.keepsLogs && item.findingId !== undefined && <FindingLog id={item.findingId} />}
    </li>
  );
}
