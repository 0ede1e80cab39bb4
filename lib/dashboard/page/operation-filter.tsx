import { SearchIcon } from './icons.js';
import { replaceView, type View } from './route.js';

const PERIODS = { lifetime: 'Since start', minute: 'Last minute' } as const;

/** Filters the operations by name and type, and selects the period of their figures. */
export function OperationFilter({ view, types }: { view: View; types: readonly string[] }) {
  return (
    <div class="filters">
      <label class="search">
        <SearchIcon />
        <span class="hidden">Filter operations by name</span>
        <input
          id="filter"
          type="search"
          placeholder="Filter by name"
          autocomplete="off"
          spellcheck={false}
          value={view.text}
          onInput={({ currentTarget }) => replaceView({ ...view, text: currentTarget.value })}
        />
        <kbd>/</kbd>
      </label>
      <label class="select">
        <span class="hidden">Filter operations by type</span>
        <select
          value={view.type}
          onChange={({ currentTarget }) => replaceView({ ...view, type: currentTarget.value })}
        >
          <option value="">All types</option>
          {[...new Set([...types, ...(view.type === '' ? [] : [view.type])])].sort().map((type) => (
            <option key={type} value={type}>
              {type}
            </option>
          ))}
        </select>
      </label>
      <fieldset class="segments">
        <legend class="hidden">Period</legend>
        {(['lifetime', 'minute'] as const).map((period) => (
          <button
            key={period}
            type="button"
            aria-pressed={view.period === period}
            onClick={() => replaceView({ ...view, period })}
          >
            {PERIODS[period]}
          </button>
        ))}
      </fieldset>
    </div>
  );
}
