import type { OverviewOperation } from '../overview.js';
import { duration, NONE, number } from './format.js';

/** Ratios between these are nothing to speak of. */
const SLOWER = 1.25;
const MUCH_SLOWER = 2;
const FASTER = 0.8;

/** How an operation compares with what it is used to take, in words and by colour. */
export function Change({ change }: { change: OverviewOperation['change'] }) {
  if (change === undefined) return <span class="faint">{NONE}</span>;
  const { ratio, usualP50Ms } = change;
  const word = ratio >= SLOWER ? 'slower' : ratio <= FASTER ? 'faster' : undefined;
  const tone = ratio >= MUCH_SLOWER ? 'bad' : ratio >= SLOWER ? 'warn' : ratio <= FASTER ? 'good' : 'faint';
  return (
    <span class="change">
      <span class={tone}>
        {word === undefined ? 'as usual' : `×${number(word === 'faster' ? 1 / ratio : ratio)} ${word}`}
      </span>
      <small>usually {duration(usualP50Ms)}</small>
    </span>
  );
}
