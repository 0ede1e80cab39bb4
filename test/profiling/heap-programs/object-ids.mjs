// V8's id of an object after a snapshot; 0 once V8 has dropped its ids.
import inspector from 'node:inspector';
import { load, newStore, plenty, print } from './common.mjs';

const { HeapSnapshots } = await load('heap-snapshots');
const store = newStore();
const snapshots = new HeapSnapshots(store, { maxPerHour: 2, cooldownMs: 60_000 }, plenty);
if (process.argv[2] === 'debugged') inspector.open(0, '127.0.0.1');
await snapshots.capture({ id: store.newId(), reason: 'on_demand' });
const session = new inspector.Session();
session.connect();
session.post('Runtime.evaluate', { expression: 'leaked' }, (_error, { result: { objectId } }) => {
  session.post('HeapProfiler.getHeapObjectId', { objectId }, (_failure, { heapSnapshotObjectId }) => {
    print({ number: Number(heapSnapshotObjectId) });
  });
});
session.disconnect();
inspector.close();
