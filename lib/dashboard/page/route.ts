import { useEffect, useState } from 'preact/hooks';

/** The page that is shown: the overview, one operation, one slow execution, or all instances. */
export type Route =
  | { readonly page: 'overview'; readonly view: View; readonly slow?: SlowView }
  | { readonly page: 'operation'; readonly type: string; readonly name: string; readonly slow?: SlowView }
  | { readonly page: 'slow'; readonly id: string }
  | { readonly page: 'instances' };

/** The filter, order and period of the operations table. */
export interface View {
  readonly text: string;
  readonly type: string;
  readonly sort: string;
  readonly descending: boolean;
  readonly period: 'minute' | 'lifetime';
}

/** The filter of the slow operations by parameter, as in the address; a condition that is not set is absent. */
export type SlowView = Readonly<Partial<Record<(typeof SLOW_CONDITIONS)[number], string>>>;

/**
 * `find` is part of a text or an ID, `least` a duration in milliseconds, `last` an age such as `15m`; `from` and `to` are minutes
 * of UTC such as `2026-03-01T09:30Z`, `to` included.
 */
export const SLOW_CONDITIONS = ['find', 'kind', 'cause', 'status', 'least', 'last', 'from', 'to'] as const;

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
  if (page === 'instances') return { page };
  const given = new URLSearchParams(query);
  const slow = slowViewOf(given);
  if (page === 'operation' && second !== '') return { page, type: first, name: second, slow };
  return {
    page: 'overview',
    slow,
    view: {
      text: given.get('q') ?? '',
      type: given.get('type') ?? '',
      sort: given.get('sort') ?? DEFAULT_VIEW.sort,
      descending: given.get('order') !== 'ascending',
      period: given.get('period') === 'minute' ? 'minute' : 'lifetime',
    },
  };
}

function slowViewOf(given: URLSearchParams): SlowView {
  return Object.fromEntries(
    SLOW_CONDITIONS.flatMap((name) => (given.get(name) ? [[name, given.get(name)]] : [])),
  );
}

/** The address of a route. Includes the path, as the page's `<base>` would resolve a hash alone elsewhere. */
export function address(route: Route): string {
  return `${location.pathname}${location.search}${hashOf(route)}`;
}

export function hashOf(route: Route): string {
  if (route.page === 'slow') return `#/slow/${encodeURIComponent(route.id)}`;
  if (route.page === 'instances') return '#/instances';
  const query = new URLSearchParams(Object.entries(route.slow ?? {}).filter(([, value]) => value !== ''));
  if (route.page === 'operation') {
    const path = `#/operation/${encodeURIComponent(route.type)}/${encodeURIComponent(route.name)}`;
    return query.size === 0 ? path : `${path}?${query}`;
  }
  const { text, type, sort, descending, period } = route.view;
  if (text !== '') query.set('q', text);
  if (type !== '') query.set('type', type);
  if (sort !== DEFAULT_VIEW.sort) query.set('sort', sort);
  if (!descending) query.set('order', 'ascending');
  if (period !== DEFAULT_VIEW.period) query.set('period', period);
  return query.size === 0 ? '#/' : `#/?${query}`;
}

/** The last view of the overview, for the way back. */
let lastOverview: Route & { page: 'overview' } = { page: 'overview', view: DEFAULT_VIEW };

export function overviewAddress(): string {
  return address(lastOverview);
}

/** Changes the table of the overview without a new history entry. */
export function replaceView(view: View): void {
  replaceRoute({ ...lastOverview, view });
}

/** Changes the filter of the slow operations on this page without a new history entry. */
export function replaceSlowView(slow: SlowView): void {
  const route = parseRoute(location.hash);
  if (route.page === 'overview' || route.page === 'operation') replaceRoute({ ...route, slow });
}

function replaceRoute(route: Route): void {
  history.replaceState(null, '', address(route));
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
