import { useState } from 'preact/hooks';
import type { OverviewSlowOperation } from '../overview.js';
import { CauseName } from './cause-name.js';
import { ago, duration, number } from './format.js';
import { FlameIcon } from './icons.js';
import { address } from './route.js';
import { visible } from './text.js';
import { TypeTag } from './type-tag.js';

const SHOWN = 8;

/** Slow operations with their causes, the newest first. */
export function SlowList({ slow, now }: { slow: readonly OverviewSlowOperation[]; now: number }) {
  const [all, setAll] = useState(false);
  const shown = all ? slow : slow.slice(0, SHOWN);
  if (slow.length === 0) return <p class="panel empty">No operation exceeded its threshold.</p>;
  return (
    <div class="panel">
      <ol class="slow-list">
        {shown.map((one) => (
          <SlowRow key={one.id} slow={one} now={now} />
        ))}
      </ol>
      {slow.length > SHOWN && (
        <button type="button" class="more" onClick={() => setAll(!all)}>
          {all ? `Show the newest ${SHOWN}` : `Show all ${number(slow.length)}`}
        </button>
      )}
    </div>
  );
}

function SlowRow({ slow, now }: { slow: OverviewSlowOperation; now: number }) {
  const { id, timestamp, type, name, durationMs, slownessRatio, error, cause, explanation, profile } = slow;
  return (
    <li>
      <span class="slow-when soft">{ago(timestamp, now)}</span>
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
      </span>
    </li>
  );
}
