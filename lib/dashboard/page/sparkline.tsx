import { duration } from './format.js';
import { linePaths } from './line-paths.js';

const WIDTH = 104;
const HEIGHT = 24;
const PAD = 2;

/** A line of durations in milliseconds, with gaps where there is no data. */
export function Sparkline({ values }: { values: readonly (number | null)[] }) {
  const known = values.filter((value) => value !== null);
  const last = known.at(-1);
  if (last === undefined) return <span class="faint">–</span>;
  const most = Math.max(...known) || 1;
  const x = (index: number): number => PAD + (index / Math.max(1, values.length - 1)) * (WIDTH - 2 * PAD);
  const y = (value: number): number => HEIGHT - PAD - (value / most) * (HEIGHT - 2 * PAD);
  const { line, area } = linePaths(values, x, y, HEIGHT);
  const lastIndex = values.findLastIndex((value) => value !== null);
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      role="img"
      aria-label={`Last hour: ${duration(Math.min(...known))} to ${duration(most)}, latest ${duration(last)}`}
    >
      <path class="sparkline-area" d={area} />
      <path class="sparkline-line" d={line} />
      <circle cx={x(lastIndex)} cy={y(last)} r="2" />
    </svg>
  );
}
