// The cost of profiling: CPU per request, the pause of each rotation, and memory over time.
// Usage: node bench/profiling.mjs [--launches N] [--rounds N] [--soak MINUTES]
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { median, print, spread, table, verdict } from './support/figures.mjs';
import { answer, rotated, start, stop } from './support/processes.mjs';

const { values } = parseArgs({
  options: {
    launches: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '16' },
    soak: { type: 'string', default: '0' },
  },
});
const LAUNCHES = Number(values.launches);
const ROUNDS = Number(values.rounds);
const SOAK_MINUTES = Number(values.soak);
const REQUESTS = 1500;
const WARM_UP = 8000;
const CONNECTIONS = 16;
const VARIANTS = ['off', 'on'];
const ROUTES = { 'a small request': '/greetings/1', 'a request with much code': '/work/1' };

const directory = mkdtempSync(join(tmpdir(), 'nestjs-performance-bench-'));

function ask(child, message = {}) {
  const next = answer(child);
  child.send(message);
  return next;
}

async function load(url, amount, connections = CONNECTIONS) {
  const { errors, non2xx } = await autocannon({ url, amount, connections });
  if (errors + non2xx > 0) throw new Error(`${errors} errors and ${non2xx} bad responses from ${url}`);
}

function quantile(numbers, share) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

async function launch(variants, route, options) {
  const servers = {};
  const cpu = Object.fromEntries(variants.map((name) => [name, []]));
  const pauses = [];
  try {
    for (const name of variants) {
      const child = start('profiling/server.mjs', [name, directory], options);
      servers[name] = { child, url: await answer(child) };
      await load(servers[name].url + route, route === '/greetings/1' ? WARM_UP : WARM_UP / 4);
      await ask(child);
    }
    for (let round = 0; round < ROUNDS; round++)
      for (const name of rotated(variants, round)) {
        const { child, url } = servers[name];
        const before = await ask(child);
        await load(url + route, REQUESTS);
        const after = await ask(child);
        cpu[name].push((after.cpuUs - before.cpuUs) / REQUESTS);
        if (name === 'on') pauses.push(...after.pauses, ...before.pauses);
      }
  } finally {
    for (const { child } of Object.values(servers)) await stop(child);
  }
  return { cpu, pauses };
}

async function compare() {
  const rows = [];
  const allPauses = [];
  for (const [title, route] of Object.entries(ROUTES)) {
    const ratios = [];
    const cpus = { off: [], on: [] };
    for (let count = 0; count < LAUNCHES; count++) {
      const { cpu, pauses } = await launch(VARIANTS, route, []);
      ratios.push(...cpu.on.map((value, round) => value / cpu.off[round]));
      for (const name of VARIANTS) cpus[name].push(median(cpu[name]));
      allPauses.push(...pauses);
    }
    rows.push([title, spread(cpus.off), spread(cpus.on), median(ratios).toFixed(3), spread(ratios, 2)]);
    verdict(`CPU of ${title} with profiling`, (median(ratios) - 1) * 100, 3, ' %');
  }
  print(`CPU us per request, medians of ${LAUNCHES} launches of ${ROUNDS} rounds of ${REQUESTS}`);
  table(['', 'off', 'on', 'on / off', 'rounds'], rows);
  print(
    `Pauses of ${allPauses.length} rotations, ms: median ${quantile(allPauses, 0.5).toFixed(2)}, p90 ${quantile(allPauses, 0.9).toFixed(2)}, p99 ${quantile(allPauses, 0.99).toFixed(2)}, max ${Math.max(...allPauses).toFixed(2)}`,
  );
  verdict('pause of a rotation, p99', quantile(allPauses, 0.99), 5, ' ms');
}

async function soak(minutes) {
  const child = start('profiling/server.mjs', ['on', directory], ['--expose-gc']);
  const url = await answer(child);
  const rows = [];
  const pauses = [];
  const end = Date.now() + minutes * 60_000;
  let over = false;
  const loads = [
    (async () => {
      while (!over) await autocannon({ url: `${url}/work/7`, connections: 4, duration: 5, overallRate: 200 });
    })(),
    (async () => {
      while (!over) {
        await fetch(`${url}/slow`).then((response) => response.text());
        await sleep(1000);
      }
    })(),
  ];
  try {
    for (let minute = 0; Date.now() < end; minute++) {
      await sleep(minute === 0 ? 30_000 : 60_000);
      const {
        rss,
        heapUsed,
        arrayBuffers,
        totalOperations,
        profiling,
        pauses: seen,
      } = await ask(child, { collect: true });
      pauses.push(...seen);
      const files = readdirSync(directory).map((name) => statSync(join(directory, name)).size);
      const mb = (bytes) => (bytes / 2 ** 20).toFixed(1);
      rows.push([
        String(minute),
        mb(rss),
        mb(heapUsed),
        mb(arrayBuffers),
        String(profiling.windows),
        mb(profiling.bytes),
        String(profiling.seconds),
        String(files.length),
        mb(files.reduce((sum, size) => sum + size, 0)),
        String(totalOperations),
      ]);
      print(rows.at(-1).join('  '));
    }
  } finally {
    over = true;
    await Promise.allSettled(loads);
    await stop(child);
  }
  table(
    [
      'minute',
      'RSS MB',
      'heap MB',
      'buffers MB',
      'windows',
      'ring MB',
      'seconds kept',
      'files',
      'files MB',
      'operations',
    ],
    rows,
  );
  print(
    `${pauses.length} rotations: median ${quantile(pauses, 0.5).toFixed(2)} ms, p99 ${quantile(pauses, 0.99).toFixed(2)} ms, max ${Math.max(...pauses).toFixed(2)} ms`,
  );
}

try {
  if (SOAK_MINUTES > 0) await soak(SOAK_MINUTES);
  else await compare();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
