import flamegraph from 'd3-flame-graph';
import { select } from 'd3-selection';
import { useEffect, useRef } from 'preact/hooks';
import type { CodeOwner, Frame } from './cpu-profile.js';
import { duration, share } from './format.js';
import { placeOf } from './function-table.js';
import { visible } from './text.js';

const CELL_HEIGHT = 20;
const OWNERS: Record<CodeOwner, string> = {
  application: 'application',
  dependency: 'dependencies',
  node: 'Node.js',
  engine: 'V8',
  others: 'other operations',
};

/** The flame graph of a profile, the outermost function at the top. A frame's width is its total time. */
export function FlameGraph(props: { root: Frame; marked: string; mark: (name: string) => void }) {
  const { root, marked, mark } = props;
  const place = useRef<HTMLDivElement>(null);
  const details = useRef<HTMLParagraphElement>(null);
  const graph = useRef<ReturnType<typeof flamegraph>>(undefined);
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const chart = flamegraph()
      .width(element.clientWidth)
      .cellHeight(CELL_HEIGHT)
      .inverted(true)
      .sort((a, b) => b.value - a.value)
      .minFrameSize(1)
      .transitionDuration(still ? 0 : 200)
      .getName(({ data }) => visible(data.name, 120))
      .setLabelHandler(({ data }) => describe(data, root))
      .setColorMapper(({ data, highlight }) => `var(--${highlight ? 'marked' : `owner-${data.owner}`})`)
      // The default interprets the term as a regular expression, which throws on a bracket.
      .setSearchMatch(({ data }, term) => term !== '' && data.name.toLowerCase().includes(term.toLowerCase()))
      .setSearchHandler(() => {})
      .setDetailsHandler((text) => {
        if (details.current !== null) details.current.textContent = text ?? '';
      });
    select(element).datum(root).call(chart);
    // The library reserves space for a title.
    select(element)
      .select('svg')
      .attr('height', CELL_HEIGHT * depthOf(root));
    graph.current = chart;
    let width = element.clientWidth;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth === width || element.clientWidth === 0) return;
      width = element.clientWidth;
      chart.width(width).update();
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
    };
  }, [root]);
  useEffect(() => {
    if (marked === '') graph.current?.clear();
    else graph.current?.search(marked);
  }, [marked, root]);
  return (
    <div class="flame">
      <div class="flame-tools">
        <label class="search">
          <span class="hidden">Highlight functions by name</span>
          <input
            type="search"
            placeholder="Highlight functions"
            value={marked}
            onInput={({ currentTarget }) => mark(currentTarget.value)}
          />
        </label>
        <button
          type="button"
          class="plain-button"
          onClick={() => {
            mark('');
            graph.current?.resetZoom();
          }}
        >
          Reset
        </button>
        <ul class="owners">
          {(Object.keys(OWNERS) as CodeOwner[]).map((owner) => (
            <li key={owner}>
              <span class={`swatch owner-${owner}`} aria-hidden="true" />
              {OWNERS[owner]}
            </li>
          ))}
        </ul>
      </div>
      <div
        ref={place}
        role="img"
        aria-label="Flame graph. The table below lists the same functions with their times."
      />
      <p ref={details} class="flame-details mono soft" />
    </div>
  );
}

function depthOf({ children }: Frame): number {
  return 1 + children.reduce((most, child) => Math.max(most, depthOf(child)), 0);
}

function describe(frame: Frame, root: Frame): string {
  const where = placeOf(frame);
  const part = root.value > 0 ? frame.value / root.value : 0;
  const text = `${visible(frame.name, 200)}${where === '' ? '' : `, ${where}`}`;
  return `${text}: ${duration(frame.value)} (${share(part)}), self ${duration(frame.selfMs)}`;
}
