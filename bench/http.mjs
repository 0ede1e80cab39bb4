// The CPU time that a request costs with bare Nest, with OpenTelemetry's HTTP instrumentation, and with this package without
// and with export. Usage: node bench/http.mjs [LAUNCHES]
import autocannon from 'autocannon';
import { VARIANTS } from './http/variants.mjs';
import { median, print, spread, table, verdict } from './support/figures.mjs';
import { answer, rotated, start, stop } from './support/processes.mjs';

const LAUNCHES = Number(process.argv[2] ?? 3);
const ROUNDS = 12;
/** A run takes at least a second, so a short one would measure an idle process. */
const REQUESTS = 8000;
const WARM_UP = 20_000;
const CONNECTIONS = 16;
const MEASURED = {
  ...VARIANTS,
  'opentelemetry-export': 'OpenTelemetry, export by OTLP/gRPC',
  'ours-export': 'this package, defaults, export by OTLP/gRPC',
};
const names = Object.keys(MEASURED);

async function load(url, amount) {
  const { errors, non2xx } = await autocannon({ url, amount, connections: CONNECTIONS });
  if (errors + non2xx > 0) throw new Error(`${errors} errors and ${non2xx} bad responses from ${url}`);
}

function ask(child, what) {
  child.send(what);
  return answer(child);
}

/** CPU microseconds of the server per request: wall-clock time would include other processes. */
async function measure({ child, url }) {
  const before = await ask(child, 'cpu');
  await load(url, REQUESTS);
  const after = await ask(child, 'cpu');
  return (after.user - before.user + after.system - before.system) / REQUESTS;
}

/** Tracing that loses requests would seem cheap. */
async function requireAll({ child }, name) {
  const expected = WARM_UP + ROUNDS * REQUESTS;
  const seen = name === 'bare' ? expected : await ask(child, 'seen');
  if (seen !== expected) throw new Error(`${name} counted ${seen} of ${expected} requests`);
}

/**
 * Launches all variants, which alternate under short loads. Short rounds compare the variants under the same load of the
 * machine; several launches average out the decisions of the compiler.
 */
async function launch(receiver) {
  const servers = {};
  try {
    for (const name of names) {
      const [variant, exports] = name.split('-');
      const child = start('http/server.mjs', exports ? [variant, receiver.url] : [variant]);
      servers[name] = { child, url: await answer(child) };
      await load(servers[name].url, WARM_UP);
    }
    const cpu = Object.fromEntries(names.map((name) => [name, []]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const name of rotated(names, round)) cpu[name].push(await measure(servers[name]));
    }
    for (const name of names) await requireAll(servers[name], name);
    return cpu;
  } finally {
    for (const { child } of Object.values(servers)) await stop(child);
  }
}

const child = start('http/receiver.mjs');
const receiver = { child, url: await answer(child) };
const all = Object.fromEntries(names.map((name) => [name, { cpu: [], added: [], ratio: [] }]));
for (let count = 0; count < LAUNCHES; count++) {
  const cpu = await launch(receiver);
  const added = (name) => median(cpu[name].map((value, round) => value - cpu.bare[round]));
  for (const name of names) {
    all[name].cpu.push(median(cpu[name]));
    all[name].added.push(added(name));
    all[name].ratio.push(added(name) / added(name.includes('-') ? 'opentelemetry-export' : 'opentelemetry'));
  }
}
const { bytes } = await ask(child, 'bytes');
await stop(child);

const requests = LAUNCHES * (WARM_UP + ROUNDS * REQUESTS);
print(
  `CPU us per request: medians of ${ROUNDS} rounds of ${REQUESTS}, over ${LAUNCHES} launches (min to max)`,
);
table(
  ['variant', 'CPU us', 'added to bare', 'share of OpenTelemetry, as it exports'],
  names.map((name) => {
    const { cpu, added, ratio } = all[name];
    return [MEASURED[name], spread(cpu), ...(name === 'bare' ? ['', ''] : [spread(added), spread(ratio, 2)])];
  }),
);
print(`Exported: ${(bytes / requests).toFixed(0)} bytes per request.`);
verdict('without export, share of the cost of OpenTelemetry', median(all.ours.ratio), 0.3, '');
verdict('with export, share of the cost of OpenTelemetry', median(all['ours-export'].ratio), 0.6, '');
