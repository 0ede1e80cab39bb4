// The CPU time of a request without sockets: of the server's JavaScript, and of what V8 does for it. The least of many short
// rounds, as other programs only add to it. Usage: node bench/request.mjs [LAUNCHES]
import { VARIANTS } from './http/variants.mjs';
import { median, print, spread, table, verdict } from './support/figures.mjs';
import { answer, rotated, start, stop } from './support/processes.mjs';

const LAUNCHES = Number(process.argv[2] ?? 3);
const ROUNDS = 30;
const REQUESTS = 1000;
/** V8 compiles until then. In turns, too: it discards compiled code that has not run for some seconds. */
const WARM_UP_ROUNDS = 60;
const names = Object.keys(VARIANTS);

function serve(child, requests) {
  child.send({ requests });
  return answer(child);
}

/** The low twentieth of the rounds of each variant, in microseconds. */
async function launch() {
  const servers = {};
  try {
    for (const name of names) {
      servers[name] = start('http/server.mjs', [name]);
      await answer(servers[name]);
    }
    for (let round = 0; round < WARM_UP_ROUNDS; round++)
      for (const name of names) await serve(servers[name], REQUESTS);
    const cpu = Object.fromEntries(names.map((name) => [name, []]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const name of rotated(names, round)) cpu[name].push(await serve(servers[name], REQUESTS));
    }
    return Object.fromEntries(names.map((name) => [name, low(cpu[name])]));
  } finally {
    for (const child of Object.values(servers)) await stop(child);
  }
}

function low(numbers) {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 20)];
}

const launches = [];
for (let count = 0; count < LAUNCHES; count++) launches.push(await launch());
const added = (name) => launches.map((cpu) => cpu[name] - cpu.bare);
const shares = (name) => launches.map((cpu) => (cpu[name] - cpu.bare) / (cpu.opentelemetry - cpu.bare));

print(
  `CPU us per request without sockets: ${LAUNCHES} launches, the low 5 % of ${ROUNDS} rounds of ${REQUESTS}`,
);
table(
  ['variant', 'CPU us', 'added to bare', 'share of OpenTelemetry'],
  names.map((name) => [
    VARIANTS[name],
    spread(launches.map((cpu) => cpu[name])),
    ...(name === 'bare' ? ['', ''] : [spread(added(name)), spread(shares(name), 2)]),
  ]),
);
verdict('share of the cost of OpenTelemetry', median(shares('ours')), 0.3, '');
