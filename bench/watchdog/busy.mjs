// CPU per short task of a loop that is never idle: serialization, a promise and a turn of the loop.
import { setImmediate } from 'node:timers/promises';
import { median } from '../support/figures.mjs';
import './started.mjs';

const TASKS = 4000;
const document = { id: 1, names: Array.from({ length: 60 }, (_, index) => `name ${index}`) };

async function batch() {
  const before = process.cpuUsage();
  for (let count = 0; count < TASKS; count++) {
    for (let time = 0; time < 8; time++) document.id += JSON.parse(JSON.stringify(document)).names.length & 1;
    await setImmediate();
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / TASKS;
}

for (let warmUp = 0; warmUp < 3; warmUp++) await batch();
const results = [];
for (let count = 0; count < 9; count++) results.push(await batch());
process.send(median(results));
