import { afterEach, describe, expect, it } from '@jest/globals';
import { hasUserCode, type RawFrame } from '../../lib/code/call-site.js';
import { PromiseStacks } from '../../lib/code/promise-stacks.js';

/** The line of the file in which it is called. */
function here(): number {
  return Number(/promise-stacks\.spec\.ts:(\d+)/.exec(new Error().stack?.split('\n')[2] ?? '')?.[1]);
}

describe('PromiseStacks', () => {
  const stacks = new PromiseStacks();
  afterEach(() => stacks.stop());

  /** A query that is executed once it is awaited. It resolves with the frames that are known then. */
  const query = (): PromiseLike<RawFrame[]> => ({
    // biome-ignore lint/suspicious/noThenProperty: as query builders do.
    then: (resolve, reject) => Promise.resolve(stacks.current(5)).then(resolve, reject),
  });
  const record = (isOwn = () => true): void => stacks.start(isOwn);

  it('has the line of the `await` that calls a thenable', async () => {
    record();
    const line = here() + 1;
    const frames = await query();
    expect(frames[0]).toMatchObject({ url: __filename, line });
  });

  it('has the function that returns a thenable, for each of several in parallel', async () => {
    const tracks = async (): Promise<RawFrame[]> => query();
    const albums = async (): Promise<RawFrame[]> => query();
    record();
    const [first, second, third] = await Promise.all([tracks(), albums(), tracks()]);
    expect([first, second, third].map((frames) => frames?.[0]?.functionName)).toEqual([
      'tracks',
      'albums',
      'tracks',
    ]);
  });

  it('has the line that awaits a thenable which awaits another without a line of the user', async () => {
    const orm = new Function(
      'query',
      'return { then(done, failed) { return (async () => await query())().then(done, failed); } }',
    );
    record();
    const line = here() + 1;
    const frames: RawFrame[] = await orm(query);
    expect(hasUserCode(frames)).toBe(true);
    expect(frames[0]).toMatchObject({ line });
  });

  it('reads a stack as often as it is asked', async () => {
    record();
    const [first, second] = await {
      // biome-ignore lint/suspicious/noThenProperty: as query builders do.
      then: (resolve: (frames: RawFrame[][]) => void) => resolve([stacks.current(5), stacks.current(5)]),
    };
    expect(first?.length).toBeGreaterThan(0);
    expect(second).toEqual(first);
  });

  it('has nothing of other requests, before the start or after the stop', async () => {
    expect(await query()).toEqual([]);
    record(() => false);
    expect(await query()).toEqual([]);
    record();
    stacks.stop();
    expect(await query()).toEqual([]);
    expect(stacks.isRecording).toBe(false);
  });

  it('stops where the question whose code runs cannot be answered', async () => {
    record(() => {
      throw new Error('no context');
    });
    expect(await query()).toEqual([]);
    expect(stacks.isRecording).toBe(false);
  });

  it('keeps the stacks of up to 300 promises', async () => {
    record();
    const first = Promise.resolve().then(() => query());
    for (let n = 0; n < 3000; n++) void Promise.resolve(n).then(() => n);
    const { held } = stacks as unknown as { held: Map<number, unknown> };
    expect(held.size).toBe(300);
    await first;
    expect(await query()).toEqual([]);
  });
});
