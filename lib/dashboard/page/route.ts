import { useEffect, useState } from 'preact/hooks';

/** The page that is shown: the overview, one operation, or one slow execution. */
export type Route =
  | { readonly page: 'overview'; readonly view: View }
  | { readonly page: 'operation'; readonly type: string; readonly name: string }
  | { readonly page: 'slow'; readonly id: string };

/** The filter, order and period of the operations table. */
export interface View {
  readonly text: string;
  readonly type: string;
  readonly sort: string;
  readonly descending: boolean;
  readonly period: 'minute' | 'lifetime';
}

export const DEFAULT_VIEW: View = {
  text: '',
  type: '',
  sort: 'excess',
  descending: true,
  period: 'lifetime',
};

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [page, first = '', second = ''] = path.split('/').map(decoded);
  if (page === 'slow' && first !== '') return { page, id: first };
  if (page === 'operation' && second !== '') return { page, type: first, name: second };
  const given = new URLSearchParams(query);
  return {
    page: 'overview',
    view: {
      text: given.get('q') ?? '',
      type: given.get('type') ?? '',
      sort: given.get('sort') ?? DEFAULT_VIEW.sort,
      descending: given.get('order') !== 'ascending',
      period: given.get('period') === 'minute' ? 'minute' : 'lifetime',
    },
  };
}

/** The address of a route. Includes the path, as the page's `<base>` would resolve a hash alone elsewhere. */
export function address(route: Route): string {
  return `${location.pathname}${location.search}${hashOf(route)}`;
}

export function hashOf(route: Route): string {
  if (route.page === 'slow') return `#/slow/${encodeURIComponent(route.id)}`;
  if (route.page === 'operation')
    return `#/operation/${encodeURIComponent(route.type)}/${encodeURIComponent(route.name)}`;
  const { text, type, sort, descending, period } = route.view;
  const query = new URLSearchParams();
  if (text !== '') query.set('q', text);
  if (type !== '') query.set('type', type);
  if (sort !== DEFAULT_VIEW.sort) query.set('sort', sort);
  if (!descending) query.set('order', 'ascending');
  if (period !== DEFAULT_VIEW.period) query.set('period', period);
  return query.size === 0 ? '#/' : `#/?${query}`;
}

/** The last view of the overview, for the way back. */
let lastOverview: Route = { page: 'overview', view: DEFAULT_VIEW };

export function overviewAddress(): string {
  return address(lastOverview);
}

/** Changes the view of the overview without a new history entry. */
export function replaceView(view: View): void {
  history.replaceState(null, '', address({ page: 'overview', view }));
  dispatchEvent(new HashChangeEvent('hashchange'));
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const changed = (): void => setRoute(parseRoute(location.hash));
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  if (route.page === 'overview') lastOverview = route;
  return route;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
