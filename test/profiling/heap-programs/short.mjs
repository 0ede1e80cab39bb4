// A process with a given heap and little memory left: prints the refusal, and whether it survives.
import { answers, files, fillHeap, load, newStore, outcome, print } from './common.mjs';

const { HeapSnapshots } = await load('heap-snapshots');
const store = newStore();
const snapshots = new HeapSnapshots(store, { maxPerHour: 2, cooldownMs: 60_000 });
fillHeap(Number(process.argv[2]));
const refusal = snapshots.refusal('GET /sessions');
const captured = await outcome(snapshots.capture({ id: store.newId(), reason: 'on_demand' }));
print({ refusal: refusal ?? null, captured, files: files(), answer: await answers() });
