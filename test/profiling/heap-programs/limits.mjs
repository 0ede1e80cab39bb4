// One at a time, once in a while for an operation, so often an hour; what somebody asked for is bound to the first alone.
import { load, newStore, outcome, plenty, tell } from './common.mjs';

const { HeapSnapshots } = await load('heap-snapshots');
const store = newStore();
let now = 1_700_000_000_000;
const snapshots = new HeapSnapshots(store, { maxPerHour: 2, cooldownMs: 600_000 }, plenty, () => now);
const take = (operationKey) =>
  outcome(snapshots.capture({ id: store.newId(), reason: 'slow_operation', operationKey }));
const ask = () => outcome(snapshots.capture({ id: store.newId(), reason: 'on_demand' }));

const first = take('a');
const meanwhile = [snapshots.refusal('b'), await take('b'), await ask()];
const told = { first: await first, meanwhile };
now += 60_000;
told.cooldown = [snapshots.refusal('a'), await take('a')];
told.other = await take('b');
told.hourly = [snapshots.refusal('c'), await take('c')];
told.onDemand = await ask();
now += 3_600_000;
told.later = [await take('a'), await take('c')];
tell(told);
