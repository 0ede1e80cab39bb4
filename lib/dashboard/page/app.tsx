import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import './styles/app.css';
import type { Overview } from '../overview.js';
import { Alerts } from './alerts.js';
import { SourceUrl } from './call-site.js';
import { useOverview } from './connection.js';
import { Drivers } from './drivers.js';
import { EmptyState } from './empty-state.js';
import { Findings } from './findings.js';
import { Header } from './header.js';
import { Health } from './health.js';
import { Instances } from './instances.js';
import { InstancesPage } from './instances-page.js';
import { useLoaded } from './loaded.js';
import { Login } from './login.js';
import { useKeys, useScrollPosition } from './navigation.js';
import { OperationsTable, typesOf } from './operations-table.js';
import { Overhead } from './overhead.js';
import { Resources } from './resources.js';
import { hashOf, type Route, type SlowView, useRoute, type View } from './route.js';
import { SlowSection } from './slow-section.js';
import { applyTheme } from './theme.js';

/** The whole page. Exported so that the bundler treats this file as a module. */
export function App() {
  const live = useOverview();
  const route = useRoute();
  const { overview, state, refusal, reopen } = live;
  useKeys(route);
  useScrollPosition(placeOf(route));
  useEffect(() => {
    if (overview !== undefined) document.title = titleOf(route, overview);
  }, [route, overview]);
  return (
    <SourceUrl.Provider value={overview?.service.sourceUrl}>
      <Header live={live} />
      <main>
        {state === 'locked' ? (
          <Login refusal={refusal} opened={reopen} />
        ) : overview === undefined ? (
          <p class="panel empty" role="status">
            {state === 'disconnected' ? 'The application does not respond. Retrying…' : 'Loading…'}
          </p>
        ) : (
          <Page route={route} overview={overview} />
        )}
      </main>
    </SourceUrl.Provider>
  );
}

function Page({ route, overview }: { route: Route; overview: Overview }) {
  switch (route.page) {
    case 'slow':
      return <Slow id={route.id} now={overview.at} />;
    case 'operation':
      return <Operation route={route} overview={overview} />;
    case 'instances':
      return <InstancesPage at={overview.at} />;
    default:
      return <OverviewPage view={route.view} slowView={route.slow} overview={overview} />;
  }
}

/** The page of an operation is loaded when the first one is opened. */
function Operation(props: { route: Route & { page: 'operation' }; overview: Overview }) {
  const { OperationPage, failure = 'Loading…' } = useLoaded(loadOperationPage);
  return OperationPage === undefined ? <p class="panel empty">{failure}</p> : <OperationPage {...props} />;
}

function Slow(props: { id: string; now: number }) {
  const { SlowPage, failure = 'Loading…' } = useLoaded(loadSlowPage);
  return SlowPage === undefined ? <p class="panel empty">{failure}</p> : <SlowPage {...props} />;
}

const loadOperationPage = () => import('./operation-page.js');
const loadSlowPage = () => import('./slow-page.js');

function OverviewPage(props: { view: View; slowView: SlowView | undefined; overview: Overview }) {
  const { view, slowView, overview } = props;
  const { operations, operationCount, slow, at, drivers, overhead } = overview;
  return (
    <>
      <h1 class="hidden">Performance</h1>
      <Health overview={overview} />
      <Instances at={at} />
      {operations.length === 0 ? (
        <EmptyState drivers={drivers} />
      ) : (
        <>
          <Findings overview={overview} />
          <OperationsTable operations={operations} operationCount={operationCount} view={view} />
          <SlowSection
            title="Slow operations"
            newest={slow}
            view={slowView}
            types={typesOf(overview)}
            now={at}
          />
        </>
      )}
      <Resources overview={overview} />
      <Alerts overview={overview} />
      <Drivers drivers={drivers} />
      <Overhead overhead={overhead} />
      <footer class="note">
        Report: <a href="report.html">HTML</a>, <a href="report.md">Markdown</a>,{' '}
        <a href="report.json">JSON</a>. Release verdict: <a href="release.md">Markdown</a>,{' '}
        <a href="release.json">JSON</a>. <a href="ui/licenses.txt">Licenses</a>
      </footer>
    </>
  );
}

/** The page that an address shows, whatever its filters. */
function placeOf(route: Route): string {
  return route.page === 'overview' ? route.page : hashOf(route).split('?', 1).join();
}

function titleOf(route: Route, { service, health }: Overview): string {
  if (route.page === 'operation') return `${route.name} · ${service.name}`;
  if (route.page === 'slow') return `Slow operation · ${service.name}`;
  if (route.page === 'instances') return `Instances · ${service.name}`;
  return `${service.name}: ${health.state}`;
}

applyTheme();
const root = document.getElementById('app');
if (root !== null) render(<App />, root);
// Captures and resets require a session even on this machine. Pages of other origins cannot begin one.
if (root?.dataset['session'] !== undefined) fetch('session', { method: 'POST' }).catch(() => {});
