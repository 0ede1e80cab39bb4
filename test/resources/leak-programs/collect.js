// Triggers collections and prints the readings. Usage: node --expose-gc collect.js FOLDER HOW
const { writeSync } = require('node:fs');

const [folder, how] = process.argv.slice(2);
const { MajorCollections } = require(`${folder}/leaks/major-collections.js`);

let requests = 0;
const collections = new MajorCollections(
  () => ({ inFlight: 3, requests: ++requests }),
  (reading) => {
    writeSync(1, `${JSON.stringify({ reading })}\n`);
    if (how === 'throwing') throw new Error('of the listener');
  },
);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** Entries come with the next turn of the loop; the next reading is taken a quarter of a second after that. */
const settle = () => sleep(50).then(() => sleep(300));

async function main() {
  collections.start();
  collections.start();
  if (how === 'minor') {
    for (let i = 0; i < 5; i++) {
      globalThis.gc({ type: 'minor' });
      await sleep(20);
    }
  } else if (how === 'late') {
    globalThis.gc();
    globalThis.gc({ type: 'minor' });
    const until = Date.now() + 50;
    while (Date.now() < until);
    await sleep(50);
  } else if (how === 'idle') {
    globalThis.gc();
    await sleep(100);
  } else if (how === 'often') {
    for (let i = 0; i < 40; i++) {
      globalThis.gc();
      await sleep(15);
    }
  } else if (how === 'stopped') {
    collections.stop();
    collections.stop();
    globalThis.gc();
    await sleep(50);
    collections.start();
    globalThis.gc();
    await sleep(300);
  } else if (how === 'keeping') {
    globalThis.gc();
    await settle();
    globalThis.kept = Array.from({ length: 100 }, () => Array.from({ length: 10_000 }, () => Math.random()));
    globalThis.buffer = Buffer.alloc(20_000_000, 1);
    globalThis.gc();
    await settle();
    globalThis.kept = undefined;
    globalThis.buffer = undefined;
    globalThis.gc();
    await settle();
    // V8 counts buffers that were freed down at the next one.
    globalThis.gc();
    await settle();
  } else {
    for (let i = 0; i < 3; i++) {
      globalThis.gc();
      await settle();
    }
  }
  // Nothing of it keeps the process alive.
}
main();
