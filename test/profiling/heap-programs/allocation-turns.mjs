// How a sampling ends, and what it does beside others.
import { Session } from 'node:inspector';
import { files, load, newStore, outcome, tell } from './common.mjs';

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
/** Whether somebody samples now. */
const sampled = () => {
  let yes = false;
  other.post('HeapProfiler.getSamplingProfile', (error) => {
    yes = !error;
  });
  return yes;
};
const told = {};
// A capture alone does not keep the process alive.
const alive = setInterval(() => {}, 1000);

const first = capture(60);
told.sampled = [sampled()];
told.second = await capture(60);
sampling.finishNow();
told.sampled.push(sampled());
await store.flush();
told.flushed = files().length;
told.first = await first;
told.again = await capture(0.05);

told.before = await capture(60, AbortSignal.abort(new Error('too late')));
const soon = new AbortController();
const aborted = capture(60, soon.signal);
soon.abort(new Error('thought better of it'));
told.aborted = await aborted;
told.sampled.push(sampled());
sampling.finishNow();
told.files = files().length;

other.post('HeapProfiler.startSampling');
told.others = await capture(60);
told.sampled.push(sampled());
other.post('HeapProfiler.stopSampling');
const stolen = capture(60);
other.post('HeapProfiler.stopSampling');
sampling.finishNow();
told.stolen = await stolen;
told.afterwards = await capture(0.05);
told.tooLarge = await capture(0.05, undefined, newStore({ maxBytes: 10 }));
told.sampled.push(sampled());
clearInterval(alive);
tell(told);
