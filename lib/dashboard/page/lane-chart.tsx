import { useMemo } from 'preact/hooks';
import { CHART, Chart } from './chart.js';
import { timeOfDay } from './format.js';
import { linePaths } from './line-paths.js';

const { width: WIDTH, height: HEIGHT } = CHART;
const TIMES = [0, 0.25, 0.5, 0.75, 1];

/** A chart of values over time. The charts of the page share one cursor. */
export function LaneChart(props: {
  label: string;
  /** Milliseconds since 1970, two or more. */
  at: readonly number[];
  /** Values at the times in `at`; `color` is the name of a CSS custom property. */
  series: readonly { readonly color: string; readonly values: readonly (number | null)[] }[];
  show: (value: number) => string;
  /** The minimum end of the scale. */
  top: number;
  /** Times that are marked over the chart, in milliseconds since 1970. */
  marks: readonly number[];
  hasTimes: boolean;
  /** The index of the time under the cursor. */
  pointed: number | undefined;
  point: (index: number | undefined) => void;
}) {
  const { label, at, series, show, top, marks, hasTimes, pointed, point } = props;
  const [from = 0, to = 0] = [at[0], at.at(-1)];
  const placeOf = (time: number): number => ((time - from) / Math.max(1, to - from)) * WIDTH;
  const highest = Math.max(...series.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const most = highest <= top ? top : highest * 1.1;
  // The cursor moves often, the values change every two seconds.
  const lines = useMemo(
    () =>
      series.map(({ values }) =>
        linePaths(
          values,
          (index) => placeOf(at[index] ?? from),
          (value) => HEIGHT * (1 - value / most),
          HEIGHT,
        ),
      ),
    [at],
  );
  const moved = ({ currentTarget, clientX }: PointerEvent & { currentTarget: Element }): void => {
    const { left, width } = (currentTarget.querySelector('svg') ?? currentTarget).getBoundingClientRect();
    const place = ((clientX - left) / Math.max(1, width)) * WIDTH;
    const next = at.findIndex((time) => placeOf(time) >= place);
    point(place < 0 || next < 0 ? undefined : next);
  };
  return (
    <div class="lane-chart" onPointerMove={moved} onPointerLeave={() => point(undefined)}>
      <Chart
        label={label}
        scale={[show(most), show(0)]}
        times={hasTimes ? TIMES.map((part) => timeOfDay(from + part * (to - from))) : []}
      >
        <path
          class="line line-slow"
          d={marks.map((mark) => `M${placeOf(mark).toFixed(1)} 0V${HEIGHT}`).join('')}
        />
        {lines.map(({ line, area }, index) => (
          <g key={index} style={{ '--tone': `var(${series[index]?.color})` }}>
            <path class="fill lane-area" d={area} />
            <path class="line" d={line} />
          </g>
        ))}
        {pointed !== undefined && (
          <path class="line line-mark" d={`M${placeOf(at[pointed] ?? from)} 0V${HEIGHT}`} />
        )}
      </Chart>
    </div>
  );
}
