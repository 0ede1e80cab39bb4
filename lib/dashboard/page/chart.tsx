import type { ComponentChildren } from 'preact';

/** The width and height of a chart in its own units: it is stretched to the width of the page. */
export const CHART = { width: 600, height: 120 } as const;

/** A chart with labeled axes. What is drawn in it is measured in {@link CHART}. */
export function Chart(props: {
  label: string;
  /** From the top to the bottom of the scale, with units. */
  scale: readonly string[];
  /** From the left to the right. */
  times: readonly string[];
  children: ComponentChildren;
}) {
  const { label, scale, times, children } = props;
  return (
    <div class="chart">
      <div class="chart-scale" aria-hidden="true">
        {scale.map((text, index) => (
          <span key={index}>{text}</span>
        ))}
      </div>
      <svg
        viewBox={`0 0 ${CHART.width} ${CHART.height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={label}
      >
        {children}
      </svg>
      <div class="chart-times" aria-hidden="true">
        {times.map((text, index) => (
          <span key={index}>{text}</span>
        ))}
      </div>
    </div>
  );
}
