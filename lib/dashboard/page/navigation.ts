import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { overviewAddress, type Route } from './route.js';

/** Keyboard shortcuts: `/` focuses the filter, Escape leaves a field or returns to the overview. */
export function useKeys(route: Route): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      const isWriting =
        event.target instanceof HTMLElement && event.target.matches('input, select, textarea');
      if (event.key === '/' && !isWriting) {
        const filter = document.getElementById('filter');
        if (filter === null) return;
        event.preventDefault();
        filter.focus();
      } else if (event.key === 'Escape') {
        if (isWriting) {
          // Firefox would empty a search field that has lost the focus.
          event.preventDefault();
          (event.target as HTMLElement).blur();
        } else if (route.page !== 'overview') location.assign(overviewAddress());
      }
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, [route]);
}

interface Place {
  readonly scroll: number;
  /** The link that was followed. */
  readonly href: string | null;
}

/**
 * Restores the scroll position of the overview, and the focus on the link that was followed. Other pages start at the top.
 * @param page identifies the page that is shown
 */
export function useScrollPosition(page: string): void {
  const places = useRef(new Map<string, Place>());
  const scroll = useRef(0);
  const href = useRef<string | null>(null);
  useEffect(() => {
    history.scrollRestoration = 'manual';
    // Recorded continuously: after a page change the old position is no longer available.
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
