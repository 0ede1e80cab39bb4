// The measured server: VARIANT, then `http` or `fetch`, then an address. A piece of work is a request to it.
import { createRequire } from 'node:module';
import { SpanKind } from '@opentelemetry/api';
import { serveWork, startOpenTelemetry } from '../support/work-server.mjs';

const [variant, by, address] = process.argv.slice(2);
const require = createRequire(import.meta.url);

async function tracing() {
  const { HttpInstrumentation } = await import('@opentelemetry/instrumentation-http');
  const { UndiciInstrumentation } = await import('@opentelemetry/instrumentation-undici');
  const instrumentations = [new HttpInstrumentation(), new UndiciInstrumentation()];
  return startOpenTelemetry(instrumentations, ({ kind }) => kind === SpanKind.CLIENT);
}

const seen = variant === 'opentelemetry' ? await tracing() : undefined;
const http = require('node:http');
const agent = new http.Agent({ keepAlive: true });

const WAYS = {
  http: () =>
    new Promise((resolve, reject) => {
      http
        .get(address, { agent }, (response) => {
          response.resume().on('end', () => resolve(response.statusCode));
        })
        .on('error', reject);
    }),
  async fetch() {
    const response = await fetch(address);
    await response.arrayBuffer();
    return response.status;
  },
};

await serveWork({ variant, type: 'external', seen, work: WAYS[by] });
