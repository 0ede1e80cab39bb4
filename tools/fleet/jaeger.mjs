// Jaeger with its storage in memory: another engine for traces by the same protocol.
import { readSpans } from './otlp.mjs';
import { answers, freePort } from './processes.mjs';

/** All that it listens on by default. */
const SERVERS = [
  'collector.otlp.grpc',
  'collector.otlp.http',
  'collector.grpc-server',
  'collector.http-server',
  'query.grpc-server',
  'query.http-server',
  'admin.http',
];
const MAX_TRACES = 20_000;
/** In spans. The default, 2,000, is less than one batch of the Collector, and what exceeds it is dropped. */
const QUEUE = 200_000;

/** @returns its address for OTLP, and what can be asked of it */
export async function startJaeger(run, program) {
  const ports = new Map();
  for (const server of SERVERS) ports.set(server, await freePort());
  const addressOf = (server) => `127.0.0.1:${ports.get(server)}`;
  await run.start(
    'jaeger',
    program,
    [
      `--memory.max-traces=${MAX_TRACES}`,
      `--collector.queue-size=${QUEUE}`,
      ...SERVERS.map((server) => `--${server}.host-port=${addressOf(server)}`),
    ],
    // Otherwise it sends traces of its own to the default port of OTLP.
    {
      env: { OTEL_TRACES_SAMPLER: 'always_off' },
      ready: () => answers(`http://${addressOf('admin.http')}/`),
    },
  );
  const url = `http://${addressOf('query.http-server')}`;
  return {
    otlp: addressOf('collector.otlp.grpc'),
    url,
    /** The traces of a service, as its page finds them. @param tags that one span of the trace has, all of them */
    async search(service, tags = {}) {
      const query = new URLSearchParams({
        service,
        tags: JSON.stringify(tags),
        limit: String(MAX_TRACES),
      });
      const response = await fetch(`${url}/api/traces?${query}`);
      const answer = await response.json();
      if (!response.ok)
        throw new Error(`Jaeger answered ${response.status}: ${JSON.stringify(answer.errors)}`);
      return answer.data;
    },
    /** The spans of a trace, as OTLP; none if it is not stored. */
    async trace(traceId) {
      const response = await fetch(`${url}/api/v3/traces/${traceId}`);
      if (response.status === 404) return [];
      if (!response.ok) throw new Error(`Jaeger answered ${response.status}: ${await response.text()}`);
      return readSpans((await response.json()).result);
    },
  };
}
