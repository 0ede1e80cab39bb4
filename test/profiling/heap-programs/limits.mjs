// One at a time, with a cooldown per operation and a limit per hour; on demand only the first limit applies.
import { load, newStore, outcome, plenty, print } from './common.mjs';

const { HeapSnapshots } = await load('heap-snapshots');
const store = newStore();
let now = 1_700_000_000_000;
const snapshots = new HeapSnapshots(store, { maxPerHour: 2, cooldownMs: 600_000 }, plenty, () => now);
const take = (operationKey) =>
  outcome(snapshots.capture({ id: store.newId(), reason: 'slow_operation', operationKey }));
const ask = () => outcome(snapshots.capture({ id: store.newId(), reason: 'on_demand' }));

const first = take('a');
const meanwhile = [snapshots.refusal('b'), await take('b'), await ask()];
const result = { first: await first, meanwhile };
now += 60_000;
result.cooldown = [snapshots.refusal('a'), await take('a')];
result.other = await take('b');
result.hourly = [snapshots.refusal('c'), await take('c')];
result.onDemand = await ask();
now += 3_600_000;
result.later = [await take('a'), await take('c')];
print(result);
