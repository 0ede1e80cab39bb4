// Captures that end without a file: aborted before, and while it is written; too large for the store.
import { files, load, newStore, outcome, plenty, print } from './common.mjs';

const { HeapSnapshots } = await load('heap-snapshots');
const limits = { maxPerHour: 9, cooldownMs: 0 };
const store = newStore();
const streams = [];
let whenWriting = () => {};
const watched = {
  flush: () => store.flush(),
  get failure() {
    return store.failure;
  },
  write(profile, content, signal) {
    streams.push(content);
    const written = store.write(profile, content, signal);
    whenWriting();
    return written;
  },
};
const snapshots = new HeapSnapshots(watched, limits, plenty);
const capture = (signal) => outcome(snapshots.capture({ id: store.newId(), reason: 'on_demand', signal }));
const result = {};

result.before = await capture(AbortSignal.abort(new Error('too late')));
const soon = new AbortController();
const captured = capture(soon.signal);
soon.abort(new Error('thought better of it'));
result.soon = await captured;
const untouched = streams.length === 0;

const writing = new AbortController();
whenWriting = () => setImmediate(() => writing.abort(new Error('shut down')));
result.writing = await capture(writing.signal);
result.destroyed = untouched && streams.every(({ destroyed }) => destroyed);
result.left = files();
result.again = await capture();

const small = newStore({ maxBytes: 1000 });
const tooLarge = new HeapSnapshots(small, limits, plenty);
result.tooLarge = await outcome(tooLarge.capture({ id: small.newId(), reason: 'on_demand' }));
result.refusal = tooLarge.refusal() ?? null;
print(result);
