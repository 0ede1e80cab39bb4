import type { FunctionTime, ReadProfile } from './cpu-profile.js';
import { duration, share } from './format.js';
import { shortPath, visible } from './text.js';

/** Functions with self time, and functions of the application that only call others. */
const SHOWN = 10;
const SHOWN_CALLERS = 5;
const MIN_SELF_MS = 0.05;

/** The functions with the most self time: the accessible alternative to the flame graph, with exact times. */
export function FunctionTable(props: { profile: ReadProfile; marked: string; mark: (name: string) => void }) {
  const { profile, marked, mark } = props;
  return (
    <table class="plain functions">
      <caption>Functions by self time. Select one to highlight it in the graph.</caption>
      <thead>
        <tr>
          <th scope="col">Function</th>
          <th scope="col" class="tablet what">
            Location
          </th>
          <th scope="col">Self</th>
          <th scope="col">Total</th>
        </tr>
      </thead>
      <tbody>
        {worthShowing(profile.functions).map((one) => (
          <tr key={one.key}>
            <th scope="row">
              <button
                type="button"
                class="mono link"
                aria-pressed={marked === one.name}
                onClick={() => mark(marked === one.name ? '' : one.name)}
              >
                <span class={`swatch owner-${one.owner}`} aria-hidden="true" />
                {visible(one.name, 120)}
              </button>
              <small class="mono soft phone-only">{placeOf(one)}</small>
            </th>
            <td class="tablet what">
              <span class="mono soft" title={visible(one.file, 400)}>
                {placeOf(one)}
              </span>
            </td>
            <td>
              <strong>{duration(one.selfMs)}</strong>{' '}
              <span class="soft">{share(profile.busyMs > 0 ? one.selfMs / profile.busyMs : 0)}</span>
            </td>
            <td>{duration(one.totalMs)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function worthShowing(functions: readonly FunctionTime[]): FunctionTime[] {
  const own = functions.filter(({ selfMs }) => selfMs >= MIN_SELF_MS).slice(0, SHOWN);
  const callers = functions
    .filter((one) => one.owner === 'application' && !own.includes(one))
    .sort((a, b) => b.totalMs - a.totalMs);
  return [...own, ...callers.slice(0, SHOWN_CALLERS)];
}

export function placeOf({ file, line }: Pick<FunctionTime, 'file' | 'line'>): string {
  if (file === '') return '';
  return visible(`${shortPath(file, 2)}${line > 0 ? `:${line}` : ''}`, 200);
}
