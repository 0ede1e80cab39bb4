// What a process thinks it may still take, in the main thread or in a worker.
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

const result = async () => {
  const { memoryRoom } = await import(`file://${process.env.BUILT}/memory-limits.js`);
  return memoryRoom();
};
if (isMainThread && process.argv[2] === 'worker') {
  const worker = new Worker(new URL(import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: 77 } });
  worker.once('message', (room) => process.stdout.write(`${JSON.stringify(room)}\n`));
} else if (isMainThread) {
  process.stdout.write(`${JSON.stringify(await result())}\n`);
} else parentPort.postMessage(await result());
