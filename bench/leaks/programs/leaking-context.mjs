// Contexts of requests in a list, where only those that failed were to be.
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

const storage = new AsyncLocalStorage();
const contexts = [];

export async function handle({ id, url }) {
  await storage.run({ id, url, rows: Array.from({ length: 750 }, (_, n) => id * n + 0.5) }, async () => {
    await sleep(2);
    contexts.push(storage.getStore());
  });
}
