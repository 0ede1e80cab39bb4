// Saves until it is killed, and sends the number of each completed save.
// Usage: node save-forever.mjs BUILT DIRECTORY INSTANCE, where BUILT is the folder with baseline/file-store.js
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [built, directory, instance] = process.argv.slice(2);
const { FileBaselineStore } = await import(pathToFileURL(join(built, 'baseline/file-store.js')).href);
const store = new FileBaselineStore(directory, (message) => {
  throw new Error(message);
});
const sketch = new Uint8Array(600).fill(7);
for (let round = 1; ; round++) {
  const operations = Array.from({ length: 200 }, (_, index) => ({
    type: 'http',
    name: `GET /${index}`,
    count: round,
    sketch,
    model: sketch,
  }));
  await store.save({ service: 'shop', instance, startedAt: 1, savedAt: round, absorbs: [], operations });
  process.send(round);
}
