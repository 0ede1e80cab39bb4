import type { SlowOperation } from '../../explain/slow-operation.js';
import { CauseName, causeWord } from './cause-name.js';
import { duration, number, share } from './format.js';
import { StackedBar } from './stacked-bar.js';
import { visible } from './text.js';

/** A smaller unexplained share of the duration is rounding. */
const MIN_REST = 0.01;

/** The causes with their shares of the duration: a bar, and the same as a table. */
export function CauseBreakdown({ operation: { causes, durationMs } }: { operation: SlowOperation }) {
  const rest = 1 - causes.reduce((sum, one) => sum + one.share, 0);
  const parts = causes.map((one, index) => ({
    key: `${index}`,
    share: one.share,
    tone: `cause-${one.cause}`,
    title: `${causeWord(one.cause)}: ${share(one.share)}`,
  }));
  return (
    <div class="panel padded">
      <StackedBar parts={parts} />
      <table class="plain">
        <caption class="hidden">Causes by time</caption>
        <thead>
          <tr>
            <th scope="col">Cause</th>
            <th scope="col" class="what">
              Operation
            </th>
            <th scope="col">Time</th>
            <th scope="col">Share</th>
          </tr>
        </thead>
        <tbody>
          {causes.map(({ cause, operation, count, ms, share: part, certainty }, index) => (
            <tr key={`${index} ${cause}`}>
              <th scope="row">
                <CauseName cause={cause} />
                {certainty === 'likely' && <span class="chip">likely</span>}
              </th>
              <td class="what">
                {operation !== undefined && <span class="mono">{visible(operation, 300)}</span>}
                {count !== undefined && count > 1 && <span class="soft"> {number(count)}×</span>}
              </td>
              <td>{duration(ms)}</td>
              <td>
                <strong>{share(part)}</strong>
              </td>
            </tr>
          ))}
          {rest > MIN_REST && (
            <tr>
              <th scope="row">
                <span class="cause">
                  <span class="swatch empty-swatch" aria-hidden="true" />
                  Unexplained
                </span>
              </th>
              <td />
              <td>{duration(rest * durationMs)}</td>
              <td>{share(rest)}</td>
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}
