import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { BackIcon } from './icons.js';
import { overviewAddress } from './route.js';
import { visible } from './text.js';
import { TypeTag } from './type-tag.js';

/** The heading of a page below the overview. Its title receives the focus, so that screen readers start there. */
export function DetailHead(props: { title: string; type?: string; children?: ComponentChildren }) {
  const { title, type, children } = props;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), [title]);
  return (
    <div class="detail-head">
      <a class="back" href={overviewAddress()}>
        <BackIcon />
        Overview <kbd>Esc</kbd>
      </a>
      <h1 ref={heading} tabIndex={-1}>
        {type !== undefined && <TypeTag type={type} />}
        <span class="name">{visible(title, 1000)}</span>
      </h1>
      {children !== undefined && <p class="facts">{children}</p>}
    </div>
  );
}
