import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';

/** For how long one slice may hold the event loop. */
const SLICE_MS = 0.5;

/**
 * An object as JSON with a long list as its last member, in pieces: other work has its turn between them.
 * @param rest the other members, at least one
 * @param entries are made as they are taken
 */
export async function* jsonInSlices(
  rest: object,
  name: string,
  entries: Iterable<unknown>,
): AsyncGenerator<string, void, undefined> {
  let piece = `${JSON.stringify(rest).slice(0, -1)},${JSON.stringify(name)}:[`;
  let separator = '';
  let from = performance.now();
  for (const entry of entries) {
    piece += separator + JSON.stringify(entry);
    separator = ',';
    if (performance.now() - from < SLICE_MS) continue;
    yield piece;
    piece = '';
    await setImmediate();
    from = performance.now();
  }
  yield `${piece}]}`;
}
