import type { ComponentChildren } from 'preact';

/** A section of the page with its heading. */
export function Section(props: {
  id: string;
  title: string;
  /** The number of listed items. */
  count?: number;
  aside?: ComponentChildren;
  children: ComponentChildren;
}) {
  const { id, title, count, aside, children } = props;
  return (
    <section id={id} aria-labelledby={`${id}-title`}>
      <div class="section-head">
        <h2 id={`${id}-title`}>
          {title}
          {count !== undefined && count > 0 && <span class="count">{count}</span>}
        </h2>
        {aside}
      </div>
      {children}
    </section>
  );
}
