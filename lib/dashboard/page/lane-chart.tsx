import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { timeOfDay } from './format.js';

const HEIGHT = 52;
const TIMES_HEIGHT = 22;
/** Leaves space for half of the last time label. */
const EDGE = 8;
const SCALE_WIDTH = 56;

export interface LaneChartProps {
  readonly label: string;
  /** Milliseconds since 1970. */
  readonly at: readonly number[];
  /** Values at the times in `at`; `color` is the name of a CSS custom property. */
  readonly series: readonly { readonly color: string; readonly values: readonly (number | null)[] }[];
  readonly show: (value: number) => string;
  readonly top: number;
  /** Times that are marked over the chart, in milliseconds since 1970. */
  readonly marks: readonly number[];
  readonly hasTimes: boolean;
  /** Called with the index of the time under the cursor. */
  readonly point: (index: number | undefined) => void;
}

/** A chart of values over time. All charts of the page share one cursor. */
export function LaneChart(props: LaneChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const made = new uPlot(optionsOf(element, latest), dataOf(latest.current), element);
    chart.current = made;
    const resized = new ResizeObserver(() => {
      const width = element.clientWidth;
      if (width > 0 && width !== made.width) made.setSize({ width, height: made.height });
    });
    resized.observe(element);
    const redraw = (): void => made.redraw(false, true);
    const system = matchMedia('(prefers-color-scheme: dark)');
    addEventListener('themechange', redraw);
    system.addEventListener('change', redraw);
    return () => {
      resized.disconnect();
      removeEventListener('themechange', redraw);
      system.removeEventListener('change', redraw);
      made.destroy();
    };
  }, []);
  useEffect(() => chart.current?.setData(dataOf(props)), [props.at]);
  return <div ref={place} class="lane-chart" role="img" aria-label={props.label} />;
}

function dataOf({ at, series }: LaneChartProps): uPlot.AlignedData {
  return [at, ...series.map(({ values }) => values)] as uPlot.AlignedData;
}

function optionsOf(element: HTMLElement, latest: { readonly current: LaneChartProps }): uPlot.Options {
  const { series, top, hasTimes } = latest.current;
  const color = (name: string): string => resolved(element, name);
  const quiet = (): string => color('--faint');
  const grid = { stroke: (): string => color('--line'), width: 1 };
  const font = '11px system-ui, sans-serif';
  return {
    width: Math.max(50, element.clientWidth),
    height: HEIGHT + (hasTimes ? TIMES_HEIGHT : 0),
    ms: 1,
    padding: [4, SCALE_WIDTH, hasTimes ? 0 : 4, EDGE],
    legend: { show: false },
    cursor: {
      sync: { key: 'resources', setSeries: false },
      drag: { x: false, y: false },
      y: false,
      points: { size: 6 },
    },
    scales: { x: { time: true }, y: { range: (_, __, most) => [0, Math.max(top, (most ?? 0) * 1.1)] } },
    axes: [
      {
        show: hasTimes,
        stroke: quiet,
        font,
        size: TIMES_HEIGHT,
        grid,
        ticks: { show: false },
        space: 80,
        values: times,
      },
      { show: false },
    ],
    series: [
      {},
      ...series.map(({ color: name }) => ({
        stroke: (): string => color(name),
        fill: (): string => faded(color(name)),
        width: 1.5,
        points: { show: false },
        spanGaps: false,
      })),
    ],
    hooks: {
      setCursor: [(chart) => latest.current.point(chart.cursor.idx ?? undefined)],
      drawClear: [(chart) => drawMarks(chart, latest.current.marks, color('--mark'))],
      draw: [(chart) => drawTop(chart, latest.current.show, font, quiet())],
    },
  };
}

function times(_: uPlot, moments: number[]): string[] {
  return moments.map(timeOfDay);
}

function drawMarks(chart: uPlot, marks: readonly number[], color: string): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.fillStyle = color;
  for (const mark of marks)
    ctx.fillRect(Math.round(chart.valToPos(mark, 'x', true)), bbox.top, devicePixelRatio, bbox.height);
  ctx.restore();
}

/** Writes the maximum of the scale at the right edge. */
function drawTop(chart: uPlot, show: (value: number) => string, font: string, color: string): void {
  const { ctx, bbox, scales } = chart;
  ctx.save();
  ctx.fillStyle = color;
  ctx.font = font.replace(/^\d+/, (size) => String(Number(size) * devicePixelRatio));
  ctx.textAlign = 'left';
  ctx.textBaseline = 'top';
  ctx.fillText(show(scales['y']?.max ?? 0), bbox.left + bbox.width + 6 * devicePixelRatio, bbox.top);
  ctx.restore();
}

/** The current color of a custom property, as a canvas does not support `light-dark()`. */
function resolved(element: HTMLElement, name: string): string {
  element.style.color = `var(${name})`;
  return getComputedStyle(element).color;
}

function faded(color: string): string {
  return color.replace(/^rgb\(([^)]*)\)$/, 'rgba($1, 0.12)');
}
