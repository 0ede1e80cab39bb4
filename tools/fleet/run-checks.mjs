// The order of a run: engines, instances, assertions.
import { randomBytes } from 'node:crypto';
import { checkAlerts } from './checks/alerts.mjs';
import { checkConfiguration, checkNoWarnings, checkSampling } from './checks/collector.mjs';
import { checkJaeger, checkJaegerConfiguration } from './checks/jaeger.mjs';
import { checkPushedMetrics } from './checks/otlp-metrics.mjs';
import { checkOtlpProfiles } from './checks/profiles.mjs';
import { checkPromQl, checkRules, checkTargets } from './checks/prometheus.mjs';
import * as traces from './checks/traces.mjs';
import { startCollector } from './collector.mjs';
import { compose } from './deploy-files.mjs';
import { startJaeger } from './jaeger.mjs';
import { freePort } from './processes.mjs';
import { startProfileCollector } from './profile-collector.mjs';
import { startIngest } from './profiles.mjs';
import { startAlertmanager, startPrometheus } from './prometheus.mjs';
import { allDashboardQueries, documentedTraceQl } from './queries.mjs';
import { assert, eventually } from './results.mjs';
import { JOB, startShop } from './shops.mjs';
import { startSimulated } from './simulated-instance.mjs';
import { divideDurations } from './time-scale.mjs';
import { startTraceReceiver } from './trace-receiver.mjs';
import { startWebhook } from './webhook.mjs';

const TRAFFIC_SECONDS = 1800;
/** An hour of rules and routes is two minutes. */
const FASTER = 30;
const ALERT_MS = 300_000;

/**
 * @param {import('./processes.mjs').Run} run
 * @param {import('./results.mjs').Results} results
 * @param {Record<string, { program?: string }>} engines what is missing is skipped with what needs it
 */
export async function runChecks(run, results, engines) {
  const { collector, prometheus, alertmanager } = engines;
  const since = Date.now();
  const withTraces = collector.program !== undefined;
  const withAlerts = prometheus.program !== undefined && alertmanager.program !== undefined;
  const stack = await startStack(run, engines, { withTraces, withAlerts });
  const parts = { ...stack, since };

  results.heading('Collector');
  if (withTraces) {
    await checkConfiguration(results, collector.program, run.folderOf('validate/config'));
    await checkNoWarnings(results, stack.collector);
    await checkSampling(results, { collector: stack.collector, storage: stack.storage });
  } else results.skip('The Collector with tail sampling', 'it needs the Collector');

  results.heading('Prometheus');
  if (stack.prometheus !== undefined) await checkMetrics(results, parts);
  else results.skip('Rules and dashboards', 'they need Prometheus');

  results.heading(
    'Traces (TraceQL is parsed by its grammar, and its conditions applied to the stored spans)',
  );
  if (withTraces) await checkTraces(results, parts);
  else results.skip('Queries and links', 'they need the Collector');

  results.heading('Traces in Jaeger');
  if (stack.jaeger !== undefined) {
    await checkJaegerConfiguration(results, collector.program, run.folderOf('validate/jaeger'));
    await checkJaeger(results, { ...stack, job: JOB, folder: run.folder });
  } else results.skip('Search and whole traces', 'they need Jaeger and the Collector');

  results.heading(`Alerts (every duration of rules and routes divided by ${FASTER})`);
  if (withAlerts) await checkAlerts(results, stack.faster);
  else results.skip('Rules and routes of alerts', 'they need Prometheus and Alertmanager');
}

/** Starts everything: the storages first, as in compose.yaml. */
async function startStack(run, engines, { withTraces, withAlerts }) {
  const token = randomBytes(16).toString('hex');
  const ingest = await startIngest(run);
  const address = `127.0.0.1:${await freePort()}`;
  const storage = withTraces ? await startTraceReceiver(run) : undefined;
  const jaeger =
    withTraces && engines.jaeger.program ? await startJaeger(run, engines.jaeger.program) : undefined;
  const targets = { traces: storage?.otlp, prometheus: address, jaeger: jaeger?.otlp };
  const collector = withTraces ? await startCollector(run, engines.collector.program, targets) : undefined;
  const profiling = withTraces ? await startProfileCollector(run, engines.collector.program) : undefined;
  const env = environment({ collector, ingest });
  const shop = (name, own = {}, options = {}) =>
    startShop(run, name, { ...env, ...own }, { seconds: TRAFFIC_SECONDS, token, ...options });
  const [first, failing, heavy] = await Promise.all([
    shop('store-1', profiling === undefined ? {} : { OTLP_PROFILES_URL: profiling.url }),
    shop('store-2'),
    shop('store-3', {}, { heavy: true }),
  ]);
  failing.fail();
  const shops = [first, failing, heavy];
  const pushing =
    collector && engines.prometheus.program
      ? await shop('store-by-otlp', {
          OTEL_METRICS_EXPORTER: 'otlp',
          OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: collector.grpc,
          OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: 'explicit_bucket_histogram',
          OTEL_METRIC_EXPORT_INTERVAL: '10000',
        })
      : undefined;
  const started = { ingest, storage, jaeger, collector, profiling, shops, pushing };
  if (engines.prometheus.program === undefined) return started;

  const webhook = await startWebhook(run);
  const alertmanager = withAlerts
    ? await startAlertmanager(run, engines.alertmanager.program, webhook)
    : undefined;
  const prometheus = await startPrometheus(run, engines.prometheus.program, {
    targets: shops.map((one) => one.address),
    token,
    alertmanager: alertmanager?.address ?? '127.0.0.1:1',
    address,
  });
  return { ...started, webhook, prometheus, faster: await startFaster(run, engines, token) };
}

/** A second Prometheus with two simulated instances, for what takes hours. */
async function startFaster(run, engines, token) {
  const [instance, other, webhook] = [
    await startSimulated(run),
    await startSimulated(run),
    await startWebhook(run),
  ];
  const change = (text) => divideDurations(text, FASTER);
  const alertmanager =
    engines.alertmanager.program === undefined
      ? undefined
      : await startAlertmanager(run, engines.alertmanager.program, webhook, {
          name: 'alertmanager-faster',
          change,
        });
  const prometheus = await startPrometheus(
    run,
    engines.prometheus.program,
    {
      targets: [instance.address, other.address],
      token,
      alertmanager: alertmanager?.address ?? '127.0.0.1:1',
      address: `127.0.0.1:${await freePort()}`,
    },
    { name: 'prometheus-faster', change },
  );
  return { prometheus, alertmanager: alertmanager?.address, webhook, instance, other };
}

/** That of compose.yaml, with other addresses, and the sample's own Postgres and cache. */
function environment({ collector, ingest }) {
  const {
    DATABASE_URL,
    REDIS_URL,
    HOST,
    PORT,
    TRAFFIC_SECONDS: _,
    PERFORMANCE_TOKEN,
    ...env
  } = compose().services[JOB].environment;
  const traces = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  assert(traces === 'http://otel-collector:4317', `Nothing to replace in ${traces}`);
  assert(env.PYROSCOPE_URL === 'http://pyroscope:4040', `Nothing to replace in ${env.PYROSCOPE_URL}`);
  return {
    ...env,
    PYROSCOPE_URL: ingest.url,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: collector?.grpc ?? '',
    ...(collector === undefined ? { OTEL_TRACES_EXPORTER: 'none' } : {}),
  };
}

async function checkMetrics(results, { prometheus, faster, shops, pushing, webhook }) {
  await checkTargets(results, { prometheus, count: shops.length });
  await checkRules(results, { prometheus, simulated: faster.prometheus });
  const queries = allDashboardQueries(JOB).filter(({ promql }) => promql !== undefined);
  await checkPromQl(results, { prometheus, simulated: faster.prometheus, queries });
  if (pushing !== undefined) await checkPushedMetrics(results, { prometheus, pushing, scraped: shops });
  await results.check('an alert of the application reaches the webhook in real time', async () => {
    const name = 'PerformanceSloBurnFast';
    await eventually(
      `${name} notified`,
      () => webhook.alerts.some(({ receiver, labels }) => receiver === 'pager' && labels.alertname === name),
      { timeoutMs: ALERT_MS, everyMs: 1000 },
    );
  });
}

async function checkTraces(results, { shops, storage, prometheus, ingest, profiling, since }) {
  await traces.checkSlowTraces(results, { shops, storage });
  const spans = await storage.spans(JOB, since);
  await traces.checkWholeTraces(results, { spans });
  const queries = [
    ...allDashboardQueries(JOB).filter(({ traceql }) => traceql !== undefined),
    ...documentedTraceQl(),
  ];
  await traces.checkTraceQl(results, { queries, spans });
  if (prometheus !== undefined) await traces.checkExemplars(results, { prometheus, storage, job: JOB });
  await traces.checkProfiles(results, { ingest, storage, spans, job: JOB });
  await checkOtlpProfiles(results, { profiling, shop: shops[0], job: JOB });
}
