// The program of one process: an HTTP server under steady load, with the handler of a program, and the detector.
// Usage: node bench/leaks/served.mjs PROGRAM SECONDS
import { once } from 'node:events';
import { Agent, createServer, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { LeakDetector } from '../../dist/modules/leaks/leak-detector.js';
import { MajorCollections } from '../../dist/modules/leaks/major-collections.js';
import { oldGenerationLimit } from '../../dist/modules/leaks/memory-watch.js';

const [name, seconds] = process.argv.slice(2);
const { handle, ratePerSecond = () => 200, rssLimitBytes } = await import(`./programs/${name}.mjs`);

let [inFlight, requests] = [0, 0];
const counts = new Map();
const server = createServer(async (request, response) => {
  inFlight++;
  requests++;
  const id = Number(request.url.split('/')[2]);
  // The memory of a waiting request, such as the result of a query.
  const rows = Array.from({ length: 40 }, (_, n) => ({ id: id + n, name: `row ${id} ${n}`, at: Date.now() }));
  await sleep(50 + 300 * Math.random());
  await handle({ id, requests, url: request.url });
  response.end(JSON.stringify(rows));
  inFlight--;
  const operation = `GET ${request.url.split('/')[1]}`;
  counts.set(operation, (counts.get(operation) ?? 0) + 1);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');

const heapLimitBytes = oldGenerationLimit(getHeapStatistics().heap_size_limit, process.execArgv);
const detector = new LeakDetector({
  heapLimitBytes,
  rssLimitBytes,
  operations: () => [...counts].map(([path, count]) => ({ type: 'http', name: path, count })),
});
const begun = Date.now();
new MajorCollections(
  () => ({ inFlight, requests }),
  (reading) => {
    detector.add(reading);
    const { at, heapUsed, external, rss } = reading;
    process.send({
      t: (at - begun) / 1000,
      heapUsed,
      external,
      rss,
      heapLimitBytes,
      leaks: detector.verdicts(),
    });
    // Ends as a container does: V8 has no limit outside its heap.
    if (rss > rssLimitBytes) process.kill(process.pid, 'SIGKILL');
  },
).start();

const agent = new Agent({ keepAlive: true });
const { port } = server.address();
const paths = ['users', 'orders', 'albums'];
let owed = 0;
const load = setInterval(() => {
  owed += ratePerSecond((Date.now() - begun) / 1000) / 50;
  for (; owed >= 1; owed--) {
    // Two alternating paths, and a third one in waves.
    const wave = Math.sin((Date.now() - begun) / 2000) > 0 ? 2 : 1;
    const path = paths[Math.floor(Math.random() * (wave + 1))];
    get({ port, path: `/${path}/${Math.floor(Math.random() * 1e6)}`, agent }, (answer) => answer.resume()).on(
      'error',
      () => {},
    );
  }
}, 20);
await sleep(Number(seconds) * 1000);
clearInterval(load);
process.send({ ended: true }, () => process.exit(0));
