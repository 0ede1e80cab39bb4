import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';

interface Place {
  readonly scroll: number;
  /** The link that was followed. */
  readonly href: string | null;
}

/**
 * Each page is found again where it was left, with the focus on the link that was followed; a new one begins at its top.
 * @param page what is looked at
 */
export function useScrollPosition(page: string): void {
  const places = useRef(new Map<string, Place>());
  const scroll = useRef(0);
  const href = useRef<string | null>(null);
  useEffect(() => {
    history.scrollRestoration = 'manual';
    // When the page has changed already, it is too late to ask.
    const scrolled = (): void => {
      scroll.current = scrollY;
    };
    const clicked = ({ target }: Event): void => {
      href.current = (target instanceof Element ? target.closest('a') : null)?.getAttribute('href') ?? null;
    };
    addEventListener('scroll', scrolled, { passive: true });
    addEventListener('click', clicked, { capture: true });
    return () => {
      removeEventListener('scroll', scrolled);
      removeEventListener('click', clicked, { capture: true });
    };
  }, []);
  const before = useRef(page);
  useLayoutEffect(() => {
    if (before.current === page) return;
    places.current.set(before.current, { scroll: scroll.current, href: href.current });
    before.current = page;
    const place = page === 'overview' ? places.current.get(page) : undefined;
    scrollTo(0, place?.scroll ?? 0);
    if (place?.href != null)
      document
        .querySelector<HTMLElement>(`a[href="${CSS.escape(place.href)}"]`)
        ?.focus({ preventScroll: true });
  }, [page]);
}
