import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';

/** How long one slice may block the event loop. */
const SLICE_MS = 0.5;

/**
 * Writes an object with a long list as JSON in pieces. Between them the event loop handles other work.
 * @param rest the members before the list, at least one
 * @param name the name of the list
 * @param entries created one by one as they are written
 */
export async function* jsonInSlices(
  rest: object,
  name: string,
  entries: Iterable<unknown>,
): AsyncGenerator<string, void, undefined> {
  let piece = `${JSON.stringify(rest).slice(0, -1)},${JSON.stringify(name)}:[`;
  let separator = '';
  let startedAt = performance.now();
  for (const entry of entries) {
    piece += separator + JSON.stringify(entry);
    separator = ',';
    if (performance.now() - startedAt < SLICE_MS) continue;
    yield piece;
    piece = '';
    await setImmediate();
    startedAt = performance.now();
  }
  yield `${piece}]}`;
}
