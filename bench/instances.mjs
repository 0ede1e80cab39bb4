// What 100 instances of a service cost a Redis that they share, and how long a view of all of them takes. The instances
// are simulated: each has its own statistics and connection of Keyv, in this process.
// Usage: npm run build && node bench/instances.mjs [instances] [redis://address]
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import KeyvRedis, { createClient } from '@keyv/redis';
import Keyv from 'keyv';
import { Deadline } from '../dist/modules/async/deadline.js';
import { Fleet } from '../dist/modules/fleet/fleet.js';
import { ResourceSampler } from '../dist/modules/process/resource-sampler.js';
import { Statistics } from '../dist/modules/statistics/statistics.js';

const [instances = '100', url = 'redis://127.0.0.1:6379'] = process.argv.slice(2);
const COUNT = Number(instances);
const OPERATIONS = 60;
const CALLS = 300;
const PUBLISH_SECONDS = 5;
const SAMPLES = 20;

let seed = 1;
/** Log-normal latencies around a median. */
function latency(medianMs) {
  let sum = 0;
  for (let i = 0; i < 6; i++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    sum += seed / 2 ** 32 - 0.5;
  }
  return medianMs * Math.exp(sum * 0.8);
}

const keyv = new Keyv(new KeyvRedis(url), { namespace: `bench-${process.pid}` });
const resources = new ResourceSampler(250);
resources.start();

function instance(number) {
  const statistics = new Statistics(1000);
  for (let name = 0; name < OPERATIONS; name++) {
    for (let call = 0; call < CALLS; call++) {
      const ms = latency(2 + name);
      const type = name % 3 === 0 ? 'http' : 'database';
      statistics.record(type, `GET /resource-${name}/:id`, ms, ms > 100, false, performance.now(), 100);
    }
  }
  const finding = (index) => ({
    id: `finding${index}`.padEnd(16, '0'),
    ...{
      type: 'n_plus_one',
      severity: 'warning',
      route: `GET /resource-${index}/:id`,
      count: 40,
      repetitions: 12,
    },
    fingerprint: `select * from resource_${index} where owner_id = ? and deleted_at is null order by created_at`,
    ...{ totalMs: 900, worstMs: 60, firstSeen: Date.now() - 60_000, lastSeen: Date.now() },
    ...{ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' },
    explanation: `The same statement ran 12 times within one request, 60 ms in total: resource_${index}.`,
  });
  const slow = (id) => ({
    id,
    ...{
      timestamp: Date.now(),
      type: 'http',
      name: 'GET /resource-1/:id',
      durationMs: 400,
      thresholdMs: 100,
    },
    ...{ slownessRatio: 4, error: false, traceId: '0af7651916cd43dd8448eb211c80319c', spanId: id },
    ...{ cause: 'cpu', causeShare: 1, explanation: 'CPU work took 400 ms.' },
    causes: [{ cause: 'cpu', share: 1, ms: 400, certainty: 'measured' }],
  });
  const kept = Array.from({ length: 20 }, (_, index) => slow(`s${number}x${index}`));
  return new Fleet(
    { enabled: true, directory: '', store: keyv, publishSeconds: PUBLISH_SECONDS },
    {
      service: 'shop',
      version: number % 10 === 0 ? '1.1.0' : '1.0.0',
      instance: {
        ...{ id: `host-${number}-1-0123456789ab`, key: `host-${number}-1-0123456789ab` },
        ...{ host: `host-${number}`, pid: 1, startedAt: Date.now() },
      },
      ...{ statistics, resources, countingSince: () => Date.now() - 60_000 },
      findings: (limit) => Array.from({ length: Math.min(20, limit) }, (_, index) => finding(index)),
      slowOperations: () => kept,
      slowOperation: (id) => kept.find((one) => one.id === id),
    },
    (error) => {
      throw error;
    },
  );
}

const fleets = Array.from({ length: COUNT }, (_, number) => instance(number));
const client = createClient({ url });
await client.connect();
const figure = async (section, name) =>
  Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(await client.info(section))?.[1]);

const memoryBefore = await figure('memory', 'used_memory');
// The first rounds also write slow operations.
for (let round = 0; round < 5; round++) for (const fleet of fleets) await fleet.publish();
const memory = (await figure('memory', 'used_memory')) - memoryBefore;
const before = await figure('stats', 'total_net_input_bytes');
const outBefore = await figure('stats', 'total_net_output_bytes');
const publishing = performance.now();
for (const fleet of fleets) await fleet.publish();
const publishMs = (performance.now() - publishing) / COUNT;
const written = (await figure('stats', 'total_net_input_bytes')) - before;
const answered = (await figure('stats', 'total_net_output_bytes')) - outBefore;

const reader = fleets[0];
const times = [];
const cpuTimes = [];
let view;
let read = 0;
for (let sample = 0; sample < SAMPLES; sample++) {
  // A view is shared for two seconds.
  await sleep(2100);
  const out = await figure('stats', 'total_net_output_bytes');
  const at = performance.now();
  const cpu = process.cpuUsage();
  view = await reader.view();
  times.push(performance.now() - at);
  const { user, system } = process.cpuUsage(cpu);
  cpuTimes.push((user + system) / 1000);
  read = (await figure('stats', 'total_net_output_bytes')) - out;
}
times.sort((a, b) => a - b);
cpuTimes.sort((a, b) => a - b);
const print = (line) => process.stdout.write(`${line}\n`);
const kb = (bytes) => `${(bytes / 1024).toFixed(1)} kB`;
print(
  `${view.instances.length} instances, ${view.operations.length} operations, ${view.findings.length} findings`,
);
print(
  `a summary, with its round trips: ${kb(written / COUNT)} written, ${kb(answered / COUNT)} read, ${publishMs.toFixed(1)} ms`,
);
print(
  `all instances, one summary each ${PUBLISH_SECONDS} s: ${kb(written / PUBLISH_SECONDS)} a second written`,
);
print(`memory of Redis: ${kb(memory)}, ${kb(memory / COUNT)} an instance`);
print(
  `a view: ${kb(read)} read, median ${times[SAMPLES / 2].toFixed(0)} ms, worst ${times.at(-1).toFixed(0)} ms, of CPU ${cpuTimes[SAMPLES / 2].toFixed(0)} ms`,
);
print(`the answer: ${kb(JSON.stringify(view).length)}`);
for (const fleet of fleets) await fleet.shutdown(new Deadline(5000));
await client.quit();
await keyv.disconnect();
resources.stop();
