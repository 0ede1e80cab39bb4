import { useEffect } from 'preact/hooks';
import { overviewAddress, type Route } from './route.js';

/** `/` goes to the filter, Escape a step back. */
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
        if (isWriting) (event.target as HTMLElement).blur();
        else if (route.page !== 'overview') location.assign(overviewAddress());
      }
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, [route]);
}
