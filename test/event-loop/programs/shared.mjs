// Two watchdogs of two builds: they share one thread, each with its own limit, until the last one stops.
import { readdirSync } from 'node:fs';
import { guiltyLoop, load, print, sleep } from './watchdog.mjs';

const threads = () => (process.platform === 'linux' ? readdirSync('/proc/self/task').length : 0);
const Esm = await load('esm');
const Cjs = await load('cjs');
const first = new Esm({ enabled: true, limitMs: 60 });
const second = new Cjs({ enabled: true, limitMs: 400 });
const heard = { first: [], second: [] };
first.onBlock((block) => heard.first.push(block));
second.onBlock((block) => heard.second.push(block));

await sleep(100);
const before = threads();
first.start();
first.start();
await sleep(200);
const one = threads();
second.start();
await sleep(200);
const two = threads();
guiltyLoop(200);
await sleep(100);
const short = { first: heard.first.length, second: heard.second.length };
first.stop();
await sleep(1000);
guiltyLoop(900);
await sleep(100);
const long = {
  first: heard.first.length,
  second: heard.second.length,
  stack: heard.second[0]?.stack?.map(({ functionName }) => functionName),
};
const states = [first.status.state, second.status.state];
second.stop();
await sleep(200);
print({ added: [one - before, two - before, threads() - before], short, long, states });
