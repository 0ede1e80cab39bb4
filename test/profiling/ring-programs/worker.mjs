// Each thread has a ring of its own.
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { post, print, sampled, startRing } from './common.mjs';

const ring = startRing();
const { settled, samples } = await sampled(ring);
const { state } = ring.status;
ring.stop();
if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  worker.once('message', (inWorker) => print({ main: { state, settled, samples }, inWorker }));
} else post(parentPort, { state, settled, samples });
