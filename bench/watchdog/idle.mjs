// CPU time of an idle process with all of its threads.
import { setTimeout as sleep } from 'node:timers/promises';
import { startMs } from './started.mjs';

const MS = 4000;
await sleep(1000);
const before = process.cpuUsage();
const from = performance.now();
while (performance.now() - from < MS) await sleep(100);
const { user, system } = process.cpuUsage(before);
const cpuMs = (user + system) / (performance.now() - from);
process.send({ cpuMs, startMs, rssMb: process.memoryUsage.rss() / 2 ** 20 });
