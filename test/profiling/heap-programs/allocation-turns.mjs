// How a sampling ends, and what it does beside others.
import { Session } from 'node:inspector';
import { files, load, newStore, outcome, print } from './common.mjs';

const { AllocationSampling } = await load('allocation-sampling');
const store = newStore();
const sampling = new AllocationSampling(store);
const capture = (seconds, signal, on = store) =>
  outcome(
    (on === store ? sampling : new AllocationSampling(on)).capture({
      id: on.newId(),
      reason: 'on_demand',
      seconds,
      signal,
    }),
  );
const other = new Session();
other.connect();
/** Whether allocations are being sampled. */
const sampled = () => {
  let yes = false;
  other.post('HeapProfiler.getSamplingProfile', (error) => {
    yes = !error;
  });
  return yes;
};
const result = {};
// A capture alone does not keep the process alive.
const alive = setInterval(() => {}, 1000);

const first = capture(60);
result.sampled = [sampled()];
result.second = await capture(60);
sampling.finishNow();
result.sampled.push(sampled());
await store.flush();
result.flushed = files().length;
result.first = await first;
result.again = await capture(0.05);

result.before = await capture(60, AbortSignal.abort(new Error('too late')));
const soon = new AbortController();
const aborted = capture(60, soon.signal);
soon.abort(new Error('thought better of it'));
result.aborted = await aborted;
result.sampled.push(sampled());
sampling.finishNow();
result.files = files().length;

other.post('HeapProfiler.startSampling');
result.others = await capture(60);
result.sampled.push(sampled());
other.post('HeapProfiler.stopSampling');
const stolen = capture(60);
other.post('HeapProfiler.stopSampling');
sampling.finishNow();
result.stolen = await stolen;
result.afterwards = await capture(0.05);
result.tooLarge = await capture(0.05, undefined, newStore({ maxBytes: 10 }));
result.sampled.push(sampled());
clearInterval(alive);
print(result);
