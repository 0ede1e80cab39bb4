// One snapshot of a small heap, in the main thread or in a worker.
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { answers, files, fillHeap, load, newStore, print } from './common.mjs';

if (isMainThread && process.argv[2] === 'worker') {
  const worker = new Worker(new URL(import.meta.url));
  worker.once('message', print);
} else {
  const { HeapSnapshots } = await load('heap-snapshots');
  const store = newStore();
  const snapshots = new HeapSnapshots(store, { maxPerHour: 2, cooldownMs: 60_000 });
  fillHeap(20);
  const operation = {
    type: 'method',
    name: 'Sessions.open',
    traceId: 'a'.repeat(32),
    spanId: 'b'.repeat(16),
  };
  const refusal = snapshots.refusal('method Sessions.open');
  const info = await snapshots.capture({
    id: store.newId(),
    reason: 'slow_operation',
    operation,
    operationKey: 'method Sessions.open',
  });
  const result = { refusal: refusal ?? null, info, files: files(), answer: await answers() };
  if (isMainThread) print(result);
  else parentPort.postMessage(result);
}
