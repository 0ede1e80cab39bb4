// The CPU time that an outgoing request costs, by `node:http` and by `fetch`: with OpenTelemetry's instrumentations, and with this
// package. Usage: node bench/calls.mjs [LAUNCHES]
import { once } from 'node:events';
import { createServer } from 'node:http';
import { median, print, verdict } from './support/figures.mjs';
import { compareWork } from './support/work-cost.mjs';

const called = createServer((_request, response) => response.end('{"answer":42}'));
called.keepAliveTimeout = 60_000;
await once(called.listen(0, '127.0.0.1'), 'listening');
try {
  for (const by of ['http', 'fetch']) {
    print(`\n${by}`);
    const [figures] = await compareWork({
      what: 'call',
      script: 'calls/server.mjs',
      args: [by, `http://127.0.0.1:${called.address().port}/answers/42`],
      variants: {
        bare: 'Nest',
        opentelemetry: 'OpenTelemetry: HTTP and undici instrumentations, batch processor, no-op exporter',
        ours: 'this package, defaults',
      },
      shapes: [{ pieces: 50, requests: 20 }],
      launches: Number(process.argv[2] ?? 3),
    });
    verdict(`a call by ${by}, share of the cost of OpenTelemetry`, median(figures.ours.ratio), 1, '');
  }
} finally {
  called.closeAllConnections();
  called.close();
}
