import { useEffect, useState } from 'preact/hooks';
import { SLOW_STATUSES } from '../../explain/slow-filter.js';
import type { SlowOperation } from '../../explain/slow-operation.js';
import { foldSlow } from '../fold-slow.js';
import type { OverviewSlowOperation } from '../overview.js';
import { CAUSE_WORDS } from './cause-name.js';
import { SearchIcon } from './icons.js';
import { replaceSlowView, type SlowView } from './route.js';
import { Section } from './section.js';
import { SlowList } from './slow-list.js';
import { endOf, minuteOf, momentOf, TimeRange } from './time-range.js';

/** The executions that a filter lists. */
const LISTED = 200;
/** A filter is applied once the typing pauses, and again as time passes. */
const PAUSE_MS = 250;
const REPEAT_MS = 5000;

/** The choice of a start and an end, which the address has instead of it. */
const RANGE = 'range';
const HOUR_MS = 3_600_000;

type Options = readonly (readonly [value: string, label: string])[];

interface Choice {
  readonly key: keyof SlowView;
  readonly label: string;
  readonly all: string;
  readonly options: Options;
}

const CHOICES: readonly Choice[] = [
  { key: 'cause', label: 'cause', all: 'All causes', options: Object.entries(CAUSE_WORDS) },
  { key: 'status', label: 'status', all: 'Any status', options: SLOW_STATUSES.map((one) => [one, one]) },
  {
    key: 'least',
    label: 'duration',
    all: 'Any duration',
    options: [
      ['100', '≥ 100 ms'],
      ['500', '≥ 500 ms'],
      ['1000', '≥ 1 s'],
      ['5000', '≥ 5 s'],
    ],
  },
  {
    key: 'last',
    label: 'time',
    all: 'Any time',
    options: [
      ['5m', 'Last 5 min'],
      ['15m', 'Last 15 min'],
      ['1h', 'Last hour'],
      ['24h', 'Last day'],
      [RANGE, 'From … to …'],
    ],
  },
];

/**
 * The slow operations that match the filter in the address, or the newest ones without a filter.
 * @param of the operation that they are executions of; absent for all
 */
export function SlowSection(props: {
  title: string;
  of?: { readonly type: string; readonly name: string };
  /** Shown without a filter. Default: those that are loaded. */
  newest?: readonly OverviewSlowOperation[];
  view: SlowView | undefined;
  /** The types to choose from. */
  types?: readonly string[];
  now: number;
}) {
  const { title, of, newest, view = {}, types, now } = props;
  const isFiltered = Object.keys(view).length > 0;
  const query = newest !== undefined && !isFiltered ? undefined : queryOf(view, now, of);
  const found = useSlow(query, now);
  const slow = query === undefined ? (newest ?? []) : found;
  return (
    <Section
      id="slow"
      title={title}
      {...(slow === undefined || slow === 'failed' ? {} : { count: slow.length })}
      aside={<SlowFilter view={view} types={types} now={now} />}
    >
      {slow === undefined ? (
        <p class="panel empty">Loading…</p>
      ) : slow === 'failed' ? (
        <p class="panel empty">The slow operations could not be loaded.</p>
      ) : slow.length > 0 ? (
        <SlowList slow={slow} now={now} />
      ) : (
        <p class="panel empty">
          {isFiltered ? 'No slow operation that is kept matches.' : 'No operation exceeded its threshold.'}
        </p>
      )}
    </Section>
  );
}

function SlowFilter(props: { view: SlowView; types: readonly string[] | undefined; now: number }) {
  const { view, types, now } = props;
  const kinds: Choice[] =
    types === undefined
      ? []
      : [{ key: 'kind', label: 'type', all: 'All types', options: types.map((type) => [type, type]) }];
  const hasRange = view.from !== undefined || view.to !== undefined;
  const change = (key: keyof SlowView, value: string): void => {
    const range = value === RANGE ? { from: minuteOf(now - HOUR_MS), to: '' } : { from: '', to: '' };
    if (key !== 'last') replaceSlowView({ ...view, [key]: value });
    else replaceSlowView({ ...view, ...range, last: value === RANGE ? '' : value });
  };
  const chosen = (key: keyof SlowView): string | undefined =>
    key === 'last' && hasRange ? RANGE : view[key];
  return (
    <div class="filters">
      <label class="search">
        <SearchIcon />
        <span class="hidden">Search slow operations</span>
        <input
          id={types === undefined ? 'filter' : 'find'}
          type="search"
          placeholder="Route, statement, trace ID"
          autocomplete="off"
          spellcheck={false}
          value={view.find ?? ''}
          onInput={({ currentTarget }) => change('find', currentTarget.value)}
        />
      </label>
      {[...kinds, ...CHOICES].map(({ key, label, all, options }) => (
        <label key={key} class="select">
          <span class="hidden">Filter slow operations by {label}</span>
          <select
            value={chosen(key) ?? ''}
            onChange={({ currentTarget }) => change(key, currentTarget.value)}
          >
            <option value="">{all}</option>
            {withValue(options, chosen(key)).map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        </label>
      ))}
      {hasRange && <TimeRange view={view} />}
    </div>
  );
}

/** A value from the address that is none of the choices. */
function withValue(options: Options, value: string | undefined): Options {
  return value === undefined || options.some(([one]) => one === value)
    ? options
    : [...options, [value, value]];
}

/** The query of `slow` for a filter. @param now on the server's clock, which accepts no start in the future */
export function queryOf(
  view: SlowView,
  now: number,
  of?: { readonly type: string; readonly name: string },
): string {
  const { find, kind, cause, status, least, last } = view;
  const [from, to] = [momentOf(view.from), endOf(view.to)];
  // An end before its start matches nothing either.
  const since = from === undefined ? undefined : Math.min(from, now);
  const given = {
    ...of,
    ...(kind && { type: kind }),
    text: find?.trim(),
    cause,
    status,
    minMs: least,
    since: since === undefined ? last : new Date(since).toISOString(),
    until: to === undefined ? undefined : new Date(Math.max(to, since ?? to)).toISOString(),
  };
  const query = new URLSearchParams({ limit: String(LISTED) });
  for (const [name, value] of Object.entries(given)) if (value) query.set(name, value);
  return String(query);
}

/** The slow operations for a query; undefined while they are loaded. */
function useSlow(query: string | undefined, now: number): OverviewSlowOperation[] | 'failed' | undefined {
  const [found, setFound] = useState<{ query?: string; slow?: OverviewSlowOperation[] }>({});
  const period = Math.floor(now / REPEAT_MS);
  useEffect(() => {
    if (query === undefined) return undefined;
    const abort = new AbortController();
    const load = async (): Promise<void> => {
      const { signal } = abort;
      try {
        const response = await fetch(`slow?${query}`, { signal });
        const slow = response.ok ? foldSlow((await response.json()) as SlowOperation[]) : undefined;
        setFound({ query, ...(slow && { slow }) });
      } catch {
        if (!signal.aborted) setFound({ query });
      }
    };
    const timer = setTimeout(load, found.query === undefined ? 0 : PAUSE_MS);
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [query, period]);
  // Those of the previous filter remain until the new ones are loaded.
  return found.query === undefined ? undefined : (found.slow ?? 'failed');
}
