/** A part of a whole: how much of it, and the class that gives its colour. */
export interface BarPart {
  readonly key: string;
  readonly share: number;
  readonly tone: string;
  readonly title: string;
}

/** The parts of a whole side by side. The same is said in words beside it, so readers are spared it. */
export function StackedBar({ parts }: { parts: readonly BarPart[] }) {
  return (
    <div class="stacked" aria-hidden="true">
      {parts.map(({ key, share, tone, title }) => (
        <span key={key} class={tone} title={title} style={{ width: `${share * 100}%` }} />
      ))}
    </div>
  );
}
