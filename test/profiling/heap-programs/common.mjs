// What the programs share: the captures as they were built, a store, and objects that stay.
import { readdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { getHeapStatistics } from 'node:v8';

export const load = (file) => import(pathToFileURL(join(process.env.BUILT, `${file}.js`)).href);
export const print = (result) => process.stdout.write(`${JSON.stringify(result)}\n`);
export const plenty = () => ({
  availableBytes: 2 ** 40,
  heapUsedBytes: 10 * 2 ** 20,
  heapLargeBytes: 2 ** 20,
  heapLimitBytes: 2 ** 32,
  externalBytes: 0,
});

const directory = join(process.env.PROFILES, 'profiles');
const { ProfileStore } = await load('profile-store');
export const warnings = [];
export const newStore = (options) =>
  new ProfileStore(
    { directory, maxBytes: 2 ** 30, maxFiles: 10, maxAgeMs: 3_600_000, ...options },
    (warning) => warnings.push(warning),
  );
/** What lies in the directory of profiles. */
export const files = () => {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
};

/** What it rejected with, or that it did not. */
export const outcome = (promise) =>
  promise.then(
    () => 'kept',
    (error) => `${error?.name}: ${error?.message}`,
  );

class LeakedSession {
  constructor(id) {
    this.id = id;
    this.user = { id };
  }
}
const leaked = [];
globalThis.leaked = leaked;
export function fillHeap(mb) {
  while (getHeapStatistics().used_heap_size < mb * 2 ** 20)
    for (let i = 0; i < 1000; i++) leaked.push(new LeakedSession(leaked.length));
}

/** Whether this process still serves. Not by HTTP, whose module reserves much address space on some versions. */
export async function answers() {
  const server = createServer((socket) => socket.end('here'));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = connect(server.address().port, '127.0.0.1').setEncoding('utf8');
  let text = '';
  for await (const chunk of socket) text += chunk;
  server.close();
  return text;
}
