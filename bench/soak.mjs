// A long run with many names: does memory stay flat, and does a request cost no more at the end than at the start?
//
//   npm run bench:soak                       30 minutes
//   npm run bench:soak -- --minutes=10
//
// A NestJS application with 5,000 URLs, 3,000 statements and 2,000 operation names, under a constant load that leaves the CPU
// half idle. Exit code 1 if the used heap after a collection leaves 5 % around its value at the first sixth of the run, or if
// the CPU time of a request is higher in the last quarter than in the first (its 95 % confidence interval is above zero).
import 'reflect-metadata';
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Controller, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SpanKind, trace } from '@opentelemetry/api';
import { PerformanceModule, PerformanceMonitorService } from '../dist/esm/index.js';

const URLS = 5000;
const STATEMENTS = 3000;
const NAMES = 2000;
/** Requests of one round, one after the other in each of some connections. */
const ROUND = 2000;
const CONNECTIONS = 4;
const REST_MS = 1500;
const MAX_HEAP_CHANGE = 0.05;

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '30' } } });
const minutes = Number(values.minutes);
if (!(minutes > 0))
  throw new RangeError(`Invalid --minutes: received ${values.minutes}, expected a number above 0`);
if (globalThis.gc === undefined) throw new Error('Run node with --expose-gc');

const print = (line) => process.stdout.write(`${line}\n`);
const tracer = trace.getTracer('soak');
let served = 0;

class SoakController {
  serve(id) {
    const number = Number(id);
    const attributes = {
      'db.system.name': 'postgresql',
      'db.query.text': `SELECT c${number % STATEMENTS} FROM t WHERE id = ${served++}`,
    };
    tracer.startActiveSpan('query', { kind: SpanKind.CLIENT, attributes }, (span) => span.end());
    tracer.startActiveSpan(`work ${number % NAMES}`, (span) => span.end());
    return id;
  }
}
const descriptor = Object.getOwnPropertyDescriptor(SoakController.prototype, 'serve');
Get('items/:id')(SoakController.prototype, 'serve', descriptor);
Param('id')(SoakController.prototype, 'serve', 0);
Controller()(SoakController);

class SoakModule {}
Module({
  imports: [PerformanceModule.forRoot({ httpThresholdMs: 200, baseline: { enabled: false } })],
  controllers: [SoakController],
})(SoakModule);

const app = await NestFactory.create(SoakModule, { logger: false, abortOnError: false });
await app.listen(0, '127.0.0.1');
const { port } = app.getHttpServer().address();
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
const monitor = app.get(PerformanceMonitorService);

function request(path) {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent }, (response) => {
      response.resume().once('end', resolve).once('error', reject);
    }).once('error', reject);
  });
}

/** CPU time of a request in milliseconds, and the used heap after a collection in MB. */
async function round(first) {
  const before = process.cpuUsage();
  let next = 0;
  const connection = async () => {
    while (next < ROUND) await request(`/items/${(first + next++) % URLS}`);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  const { user, system } = process.cpuUsage(before);
  // Twice: the first one may only finish one that had begun.
  globalThis.gc();
  globalThis.gc();
  return { cpuMs: (user + system) / 1000 / ROUND, heapMb: process.memoryUsage().heapUsed / 2 ** 20 };
}

const mean = (numbers) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
const variance = (numbers) =>
  mean(numbers.map((one) => (one - mean(numbers)) ** 2)) * (numbers.length / (numbers.length - 1));
const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

// Not measured: the code is compiled, and every name is seen.
for (let warm = 0; warm < 4; warm++) await round(warm * ROUND);

const startedAt = performance.now();
const rounds = [];
let first = 0;
let printedAt = 0;
while (performance.now() - startedAt < minutes * 60_000) {
  const at = (performance.now() - startedAt) / 60_000;
  rounds.push({ at, ...(await round(first)) });
  first += ROUND;
  const { cpuMs, heapMb } = rounds.at(-1);
  if (at - printedAt >= 1 || rounds.length === 1) {
    printedAt = at;
    print(
      `${at.toFixed(1).padStart(5)} min  heap ${heapMb.toFixed(1)} MB  CPU ${cpuMs.toFixed(3)} ms per request`,
    );
  }
  await sleep(REST_MS);
}
const stats = monitor.getStats();
await app.close();
agent.destroy();

// From minute 5 on, in a run of 30.
const steady = rounds.filter(({ at }) => at >= minutes / 6).map(({ heapMb }) => heapMb);
const tenth = Math.max(1, Math.floor(steady.length / 10));
const reference = median(steady.slice(0, tenth));
const end = median(steady.slice(-tenth));
const heapChange = end / reference - 1;

const quarter = Math.floor(rounds.length / 4);
const early = rounds.slice(0, quarter).map(({ cpuMs }) => cpuMs);
const late = rounds.slice(-quarter).map(({ cpuMs }) => cpuMs);
const change = mean(late) - mean(early);
const margin = 1.96 * Math.sqrt(variance(early) / early.length + variance(late) / late.length);

const isFlat = Math.abs(heapChange) <= MAX_HEAP_CHANGE;
const isAsCheap = change - margin <= 0;
print(`${stats.totalOperations} operations in ${rounds.length} rounds of ${ROUND} requests`);
print(
  `Heap: ${reference.toFixed(1)} MB, at the end ${end.toFixed(1)} MB (${(heapChange * 100).toFixed(1)} %): ${isFlat ? 'flat' : 'NOT FLAT'}`,
);
print(
  `CPU of a request: ${mean(early).toFixed(3)} ms in the first quarter, ${mean(late).toFixed(3)} ms in the last; ` +
    `change ${change.toFixed(4)} ms (95 %: ${(change - margin).toFixed(4)} to ${(change + margin).toFixed(4)}): ` +
    `${isAsCheap ? 'no higher' : 'HIGHER'}`,
);
process.exitCode = isFlat && isAsCheap ? 0 : 1;
