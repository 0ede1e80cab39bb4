// A process that has so many MB on its heap and little room: what it is told, and whether it lives on.
import { answers, files, fillHeap, load, newStore, outcome, tell } from './common.mjs';

const { HeapSnapshots } = await load('heap-snapshots');
const store = newStore();
const snapshots = new HeapSnapshots(store, { maxPerHour: 2, cooldownMs: 60_000 });
fillHeap(Number(process.argv[2]));
const refusal = snapshots.refusal('GET /sessions');
const captured = await outcome(snapshots.capture({ id: store.newId(), reason: 'on_demand' }));
tell({ refusal: refusal ?? null, captured, files: files(), answer: await answers() });
