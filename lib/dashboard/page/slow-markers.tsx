import { useState } from 'preact/hooks';
import type { OverviewSlowOperation } from '../overview.js';
import { duration, moment, number, plural } from './format.js';
import { address } from './route.js';
import { visible } from './text.js';

/** Slow operations closer than this share of the width share a mark. */
const CLOSE = 1 / 60;

interface Mark {
  readonly key: string;
  readonly place: number;
  readonly slowest: OverviewSlowOperation;
  readonly count: number;
}

/** A mark for each time at which operations were slow. It links to the slowest of them. */
export function SlowMarkers(props: {
  slow: readonly OverviewSlowOperation[];
  from: number;
  to: number;
  now: number;
}) {
  const { slow, from, to, now } = props;
  const [pointed, setPointed] = useState<Mark | undefined>();
  const marks = marksOf(slow, from, to);
  return (
    <div class="lane">
      <div class="lane-label">
        <strong>Slow operations</strong>
        <span>{pointed === undefined ? plural(slow.length, 'operation') : sentenceOf(pointed, now)}</span>
      </div>
      <div class="marks">
        {marks.map((mark) => (
          <a
            key={mark.key}
            href={address({ page: 'slow', id: mark.slowest.id })}
            class={mark.slowest.type === 'http' ? 'mark' : 'mark inner'}
            style={{ left: `${mark.place * 100}%` }}
            onMouseEnter={() => setPointed(mark)}
            onMouseLeave={() => setPointed(undefined)}
            onFocus={() => setPointed(mark)}
            onBlur={() => setPointed(undefined)}
          >
            <span class="hidden">{sentenceOf(mark, now)}</span>
          </a>
        ))}
      </div>
    </div>
  );
}

function sentenceOf({ slowest: { name, durationMs, timestamp }, count }: Mark, now: number): string {
  const others = count > 1 ? ` and ${number(count - 1)} more` : '';
  return `${visible(name, 100)}, ${duration(durationMs)}${others}, ${moment(timestamp, now)}`;
}

/** The marks of slow operations; operations close in time share one. */
export function marksOf(slow: readonly OverviewSlowOperation[], from: number, to: number): Mark[] {
  const slots = new Map<number, { slowest: OverviewSlowOperation; count: number }>();
  for (const one of slow) {
    const slot = Math.round((one.timestamp - from) / Math.max(1, to - from) / CLOSE);
    const known = slots.get(slot);
    if (known === undefined) slots.set(slot, { slowest: one, count: 1 });
    else {
      known.count++;
      if (one.durationMs > known.slowest.durationMs) known.slowest = one;
    }
  }
  return [...slots]
    .sort(([a], [b]) => a - b)
    .map(([, { slowest, count }]) => ({
      key: slowest.id,
      place: (slowest.timestamp - from) / Math.max(1, to - from),
      slowest,
      count,
    }));
}
