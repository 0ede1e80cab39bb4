// What a request costs more: bare Nest, OpenTelemetry's own HTTP instrumentation, and this package without and with
// export. Usage: node bench/http.mjs [ROUNDS]
import autocannon from 'autocannon';
import { median, print, spread, table, verdict } from './support/figures.mjs';
import { answer, rotated, start, stop } from './support/processes.mjs';

const ROUNDS = Number(process.argv[2] ?? 7);
const WARM_UP = 8000;
const REQUESTS = 12_000;
const CONNECTIONS = 16;
const VARIANTS = {
  bare: 'Nest on Express',
  opentelemetry: 'OpenTelemetry: HTTP instrumentation, batch processor, no-op exporter',
  ours: 'this package, defaults',
  'ours-export': 'this package, defaults, export by OTLP/gRPC',
};

const ask = (child) => {
  child.send('');
  return answer(child);
};

async function load(url, amount) {
  const { errors, non2xx } = await autocannon({ url, amount, connections: CONNECTIONS });
  if (errors + non2xx > 0) throw new Error(`${errors} errors and ${non2xx} bad answers from ${url}`);
}

/** CPU microseconds of the server for one request: time on the clock would count the neighbours of the machine. */
async function measure(variant, receiver) {
  const server = start('http/server.mjs', variant === 'ours-export' ? [variant, receiver.url] : [variant]);
  try {
    const url = await answer(server);
    await load(url, WARM_UP);
    const before = await ask(server);
    const sentBefore = await ask(receiver.child);
    await load(url, REQUESTS);
    const after = await ask(server);
    const sent = await ask(receiver.child);
    if (variant !== 'bare' && after.seen - before.seen !== REQUESTS)
      throw new Error(`${variant} has seen ${after.seen - before.seen} of ${REQUESTS} requests`);
    return {
      cpu: (after.cpuUs - before.cpuUs) / REQUESTS,
      sentBytes: (sent.bytes - sentBefore.bytes) / REQUESTS,
    };
  } finally {
    await stop(server);
  }
}

const child = start('http/receiver.mjs');
const receiver = { child, url: await answer(child) };
const names = Object.keys(VARIANTS);
const cpu = Object.fromEntries(names.map((name) => [name, []]));
const sentBytes = [];
for (let round = 0; round < ROUNDS; round++) {
  for (const name of rotated(names, round)) {
    const result = await measure(name, receiver);
    cpu[name].push(result.cpu);
    if (name === 'ours-export') sentBytes.push(result.sentBytes);
  }
}
await stop(child);

// Within a round the machine is about as busy for each variant, so differences are taken round by round.
const added = (name) => cpu[name].map((value, round) => value - cpu.bare[round]);
const ratios = (name) => added(name).map((value, round) => value / added('opentelemetry')[round]);
print(`CPU us per request, ${ROUNDS} rounds of ${REQUESTS} requests: median (min to max)`);
table(
  ['variant', 'CPU us', 'added to bare', 'of what OpenTelemetry adds'],
  names.map((name) => [
    VARIANTS[name],
    spread(cpu[name]),
    name === 'bare' ? '' : spread(added(name)),
    name === 'bare' ? '' : spread(ratios(name), 2),
  ]),
);
print(`Exported: ${median(sentBytes).toFixed(0)} bytes per request.`);
const ratio = (name) => median(added(name)) / median(added('opentelemetry'));
verdict('without export, of what OpenTelemetry adds', ratio('ours'), 0.5, '');
verdict('with export, of what OpenTelemetry adds', ratio('ours-export'), 0.5, '');
