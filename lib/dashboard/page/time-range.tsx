import { replaceSlowView, type SlowView } from './route.js';

const MINUTE_MS = 60_000;

/** The minute of a time in UTC, as in the address: `2026-03-01T09:30Z`. */
export function minuteOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16)}Z`;
}

/** The start of a minute of the address, in milliseconds since 1970; undefined if there is none, or no valid one. */
export function momentOf(minute: string | undefined): number | undefined {
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\dZ$/.test(minute ?? '') ? Date.parse(minute as string) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

/** The last millisecond of a minute of the address. */
export function endOf(minute: string | undefined): number | undefined {
  const at = momentOf(minute);
  return at === undefined ? undefined : at + MINUTE_MS - 1;
}

/** As a field of type `datetime-local` has it: in the browser's time zone. */
function localOf(minute: string | undefined): string {
  const at = momentOf(minute);
  if (at === undefined) return '';
  return new Date(at - new Date(at).getTimezoneOffset() * MINUTE_MS).toISOString().slice(0, 16);
}

const FIELDS = [
  { key: 'from', label: 'From' },
  { key: 'to', label: 'to' },
] as const;

/** The start and the end of the slow operations that are listed. Either may be open. */
export function TimeRange({ view }: { view: SlowView }) {
  return (
    <fieldset class="time-range">
      <legend class="hidden">Time range of slow operations</legend>
      {FIELDS.map(({ key, label }) => (
        <label key={key}>
          {label}
          <input
            type="datetime-local"
            value={localOf(view[key])}
            onChange={({ currentTarget: { value, validity } }) => {
              const at = Date.parse(value);
              // Incomplete while it is typed.
              if (!validity.badInput)
                replaceSlowView({ ...view, [key]: Number.isNaN(at) ? '' : minuteOf(at) });
            }}
          />
        </label>
      ))}
    </fieldset>
  );
}
