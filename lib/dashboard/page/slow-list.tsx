import { useState } from 'preact/hooks';
import type { OverviewSlowOperation } from '../overview.js';
import { CauseName } from './cause-name.js';
import { ago, duration, moment, number } from './format.js';
import { FlameIcon } from './icons.js';
import { address } from './route.js';
import { type SlowGroup, slowGroups } from './slow-groups.js';
import { visible } from './text.js';
import { TypeTag } from './type-tag.js';

const SHOWN = 8;

/** Slow operations with their causes, the newest first. Executions of one operation with one cause share an entry. */
export function SlowList({ slow, now }: { slow: readonly OverviewSlowOperation[]; now: number }) {
  const [all, setAll] = useState(false);
  const groups = slowGroups(slow);
  return (
    <div class="panel">
      <ol class="slow-list">
        {(all ? groups : groups.slice(0, SHOWN)).map((group) => (
          <SlowRow key={group.key} group={group} now={now} />
        ))}
      </ol>
      {groups.length > SHOWN && (
        <button type="button" class="more" onClick={() => setAll(!all)}>
          {all ? `Show the newest ${SHOWN}` : `Show all ${number(groups.length)}`}
        </button>
      )}
    </div>
  );
}

/** The worst execution, what was slow within it, and the other executions. */
function SlowRow({ group: { slow, worst }, now }: { group: SlowGroup; now: number }) {
  const { id, type, name, durationMs, slownessRatio, error, cause, explanation, profile, within } = worst;
  return (
    <li>
      <span class="slow-when soft">{ago(slow[0]?.timestamp ?? now, now)}</span>
      <span class="slow-name">
        <TypeTag type={type} />
        <a class="row-link name" href={address({ page: 'slow', id })}>
          {visible(name, 200)}
        </a>
        {error && <span class="chip bad">failed</span>}
        {profile !== undefined && (
          <span class="soft" title="CPU profile available">
            <FlameIcon />
            <span class="hidden">CPU profile available</span>
          </span>
        )}
      </span>
      <span class="slow-took">
        <strong>{duration(durationMs)}</strong>
        <small>×{number(slownessRatio)}</small>
      </span>
      <span class="slow-why">
        <CauseName cause={cause} />
        <span class="soft">{visible(explanation, 400)}</span>
        {within !== undefined && (
          <span class="slow-within">
            within it{' '}
            {within.map((part) => (
              <span key={`${part.type} ${part.name}`} class="mono">
                {visible(part.name, 60)} {part.count > 1 && `×${number(part.count)} `}
                {duration(part.worstMs)}
              </span>
            ))}
          </span>
        )}
      </span>
      {slow.length > 1 && (
        <details class="slow-others">
          <summary>{number(slow.length)} executions; this is the longest</summary>
          <ol>
            {slow.map((one) => (
              <li key={one.id}>
                <a href={address({ page: 'slow', id: one.id })}>{moment(one.timestamp, now)}</a>{' '}
                {duration(one.durationMs)}
              </li>
            ))}
          </ol>
        </details>
      )}
    </li>
  );
}
