// What an idle service costs: resident memory and heap, and CPU time. Usage: node bench/rest.mjs [LAUNCHES] [SECONDS]
import { setTimeout as delay } from 'node:timers/promises';
import { median, print, spread, table, verdict } from './support/figures.mjs';
import { answer, start, stop } from './support/processes.mjs';

const LAUNCHES = Number(process.argv[2] ?? 3);
const SECONDS = Number(process.argv[3] ?? 60);
/** Until the package rests, and V8 and the system have done what they do after a start. */
const SETTLE_MS = 60_000;
const MB = 2 ** 20;

function ask(child, what) {
  child.send(what);
  return answer(child);
}

const cpuMs = ({ cpu }) => (cpu.user + cpu.system) / 1000;

/** Both variants at the same time, so that the machine is the same for them. */
async function launch() {
  const servers = ['bare', 'ours'].map((variant) => start('rest/server.mjs', [variant], ['--expose-gc']));
  try {
    for (const server of servers) await answer(server);
    await delay(SETTLE_MS);
    const before = await Promise.all(servers.map((server) => ask(server, 'cpu')));
    await delay(SECONDS * 1000);
    const after = await Promise.all(servers.map((server) => ask(server, 'cpu')));
    const collected = await Promise.all(servers.map((server) => ask(server, 'memory')));
    return servers.map((_, index) => ({
      'CPU, % of a core': (cpuMs(after[index]) - cpuMs(before[index])) / 10 / SECONDS,
      'resident, MB': collected[index].memory.rss / MB,
      'heap after a collection, MB': collected[index].memory.heapUsed / MB,
    }));
  } finally {
    await Promise.all(servers.map(stop));
  }
}

const launches = [];
for (let round = 0; round < LAUNCHES; round++) launches.push(await launch());

const added = {};
const rows = Object.keys(launches[0][0]).map((what) => {
  const [bare, ours] = [0, 1].map((variant) => launches.map((launched) => launched[variant][what]));
  added[what] = ours.map((value, index) => value - bare[index]);
  return [what, ...[bare, ours, added[what]].map((values) => spread(values, 2))];
});
print(
  `An idle service after ${SETTLE_MS / 1000} s, for ${SECONDS} s: ${LAUNCHES} launches, median (min to max)`,
);
table(['what', 'without', 'with the package', 'added'], rows);
verdict('idle CPU', median(added['CPU, % of a core']), 0.2, ' % of a core');
verdict('resident memory', median(added['resident, MB']), 12, ' MB');
verdict('heap', median(added['heap after a collection, MB']), 5, ' MB');
