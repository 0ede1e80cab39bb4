// How long `/performance/stats` and the overview take and block the event loop, with 1,000 operations that have run for more
// than a day, compared with an empty route. CPU time is that of the server. Usage: node bench/stats.mjs [REQUESTS]
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { median, print, table, verdict } from './support/figures.mjs';
import { answer, rotated, start, stop } from './support/processes.mjs';

const REQUESTS = Number(process.argv[2] ?? 300);
/** Stays below the rate limit of the endpoint. */
const PAUSE_MS = 25;
const PATHS = [
  '/greetings/1',
  '/performance/stats',
  '/performance/stats?operations=1000',
  '/performance/overview',
];

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function ask(url) {
  return new Promise((resolve, reject) => {
    const from = performance.now();
    get(url, { agent }, (response) => {
      let bytes = 0;
      response.on('data', (chunk) => {
        bytes += chunk.length;
      });
      response.once('end', () => {
        if (response.statusCode === 200) resolve({ ms: performance.now() - from, bytes });
        else reject(new Error(`${url} answered ${response.statusCode}`));
      });
    }).once('error', reject);
  });
}

function percentile(values, p) {
  return [...values].sort((a, b) => a - b)[Math.ceil(p * values.length) - 1];
}

const child = start('stats/server.mjs');
const origin = await answer(child);
const held = () => {
  child.send('');
  return answer(child);
};
const seen = Object.fromEntries(PATHS.map((path) => [path, { ms: [], holds: [], cpu: [], bytes: 0 }]));
for (const path of PATHS)
  for (let count = 0; count < 20; count++, await sleep(PAUSE_MS)) await ask(origin + path);
for (let round = 0; round < REQUESTS; round++) {
  for (const path of rotated(PATHS, round)) {
    await held();
    const { ms, bytes } = await ask(origin + path);
    await sleep(PAUSE_MS);
    seen[path].ms.push(ms);
    const { holdMs, cpuMs } = await held();
    seen[path].holds.push(holdMs);
    seen[path].cpu.push(cpuMs);
    seen[path].bytes = bytes;
  }
}
await stop(child);
agent.destroy();

print(`${REQUESTS} requests to each path, alternating, over one connection`);
table(
  ['path', 'KB', 'median ms', 'p99 ms', 'blocked median ms', 'blocked p99 ms', 'CPU median ms'],
  PATHS.map((path) => {
    const { ms, holds, cpu, bytes } = seen[path];
    return [
      path,
      (bytes / 1024).toFixed(0),
      ...[
        percentile(ms, 0.5),
        percentile(ms, 0.99),
        percentile(holds, 0.5),
        percentile(holds, 0.99),
        median(cpu),
      ].map((value) => value.toFixed(2)),
    ];
  }),
);
for (const path of PATHS.slice(1)) {
  verdict(`${path} response time, p99`, percentile(seen[path].ms, 0.99), 5, ' ms');
  verdict(`${path} blocks the event loop, p99`, percentile(seen[path].holds, 0.99), 2, ' ms');
}
