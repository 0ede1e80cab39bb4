import type { OverviewOperation } from '../overview.js';
import { duration, NONE, number } from './format.js';

/** Ratios between FASTER and SLOWER are shown as unchanged. */
const SLOWER = 1.25;
const MUCH_SLOWER = 2;
const FASTER = 0.8;

/** The current p50 of an operation compared with its baseline. */
export function Change({ change }: { change: OverviewOperation['change'] }) {
  if (change === undefined) return <span class="faint">{NONE}</span>;
  const { ratio, baselineP50Ms } = change;
  const word = ratio >= SLOWER ? 'slower' : ratio <= FASTER ? 'faster' : undefined;
  const tone = ratio >= MUCH_SLOWER ? 'bad' : ratio >= SLOWER ? 'warn' : ratio <= FASTER ? 'good' : 'faint';
  return (
    <span class="change">
      <span class={tone}>
        {word === undefined ? 'unchanged' : `×${number(word === 'faster' ? 1 / ratio : ratio)} ${word}`}
      </span>
      <small>baseline p50 {duration(baselineP50Ms)}</small>
    </span>
  );
}
