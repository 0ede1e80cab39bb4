/** A part of a whole. `tone` is the class that sets its color. */
export interface BarPart {
  readonly key: string;
  readonly share: number;
  readonly tone: string;
  readonly title: string;
}

/** The parts of a whole side by side. Hidden from screen readers, as the same values are listed next to it. */
export function StackedBar({ parts }: { parts: readonly BarPart[] }) {
  return (
    <div class="stacked" aria-hidden="true">
      {parts.map(({ key, share, tone, title }) => (
        <span key={key} class={tone} title={title} style={{ width: `${share * 100}%` }} />
      ))}
    </div>
  );
}
