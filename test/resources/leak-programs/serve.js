// Works in small pieces, and keeps what a kind says. Usage: node serve.js FOLDER KIND SECONDS
const { writeSync } = require('node:fs');
const { getHeapStatistics } = require('node:v8');

const [folder, kind, seconds] = process.argv.slice(2);
const { LeakDetector } = require(`${folder}/leaks/leak-detector.js`);
const { oldGenerationLimit } = require(`${folder}/leaks/memory-watch.js`);
const { MajorCollections } = require(`${folder}/leaks/major-collections.js`);

const heapLimitBytes = oldGenerationLimit(getHeapStatistics().heap_size_limit, process.execArgv);
const detector = new LeakDetector({ heapLimitBytes });
const collections = new MajorCollections(
  () => ({ inFlight: 0, requests: 0 }),
  (reading) => {
    detector.add(reading);
    writeSync(1, `${JSON.stringify({ reading, heapLimitBytes, leaks: detector.verdicts() })}\n`);
  },
);
collections.start();

const rows = () => Array.from({ length: 5000 }, () => Math.random());
const kept = [];
let at = 0;
const keep = {
  // 40 KB in each 20 ms: 2 MB a second.
  leak: (one) => kept.push(one),
  // As much, until there are 100 of them: two seconds.
  cache: (one) => {
    kept[at++ % 100] = one;
  },
}[kind];
setInterval(() => {
  keep(rows());
  // What goes away soon, so that there are collections.
  let garbage = [];
  for (let i = 0; i < 20; i++) garbage.push(rows());
  setTimeout(() => {
    garbage = [];
  }, 100);
}, 20);
setTimeout(() => process.exit(0), Number(seconds) * 1000);
