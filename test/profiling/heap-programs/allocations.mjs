// Allocates what stays and more that does not, in the main thread or in a worker, alone or with debuggers attached.
import inspector from 'node:inspector';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { load, newStore, print } from './common.mjs';

const [how] = isMainThread ? process.argv.slice(2) : [workerData];
const kept = [];
globalThis.kept = kept;
let last;
function leakRows() {
  for (let i = 0; i < 300; i++) {
    const row = [];
    for (let at = 0; at < 100; at++) row.push({ at });
    kept.push(row);
  }
}
function makeGarbage() {
  for (let i = 0; i < 3000; i++) last = new Array(100).fill({ i });
}

if (isMainThread && how === 'worker') {
  const worker = new Worker(new URL(import.meta.url), { workerData: 'alone' });
  worker.once('message', print);
} else {
  const debuggers = [];
  if (how === 'debugged') {
    for (const domain of ['Debugger', 'HeapProfiler', 'Profiler', 'Runtime']) {
      const session = new inspector.Session();
      session.connect();
      session.post(`${domain}.enable`);
      debuggers.push(session);
    }
  }
  const { AllocationSampling } = await load('allocation-sampling');
  const store = newStore();
  const sampling = new AllocationSampling(store);
  const captured = sampling.capture({ id: store.newId(), reason: 'memory', seconds: 60 });
  for (let round = 0; round < 30; round++) {
    leakRows();
    makeGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
  sampling.finishNow();
  const info = await captured;
  let answered = 0;
  for (const session of debuggers)
    session.post('Runtime.evaluate', { expression: '1 + 1' }, (error) => {
      if (error === null) answered++;
    });
  const result = { info, last: last.length, answered };
  if (isMainThread) print(result);
  else parentPort.postMessage(result);
}
