import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { SourceMaps } from '../../lib/code/source-maps.js';
import { SourceTexts } from '../../lib/code/source-texts.js';
import { CodeNames } from '../../lib/profiling/code-names.js';
import { ExecutionLog } from '../../lib/profiling/execution-log.js';
import {
  functionsIn,
  type HotFunction,
  hotCodeOf,
  hottestLine,
  nameHotFunctions,
} from '../../lib/profiling/hot-functions.js';
import { type OperationSamples, samplesOf } from '../../lib/profiling/operation-samples.js';
import { APP, type Call, HASH, IDLE_STACK, ORM, type Sample, SELL, SERVE, windowWith } from './windows.js';

/** The calls of a sample, and the line that ran. */
type Ran = readonly [stack: readonly Call[], line?: number];

/** Samples, a millisecond from one to the next, all of them the operation's own. */
const samplesWith = (...stacks: Ran[]): OperationSamples => {
  const window = windowWith(
    0,
    stacks.length,
    stacks.map(([stack, line], at): Sample => [at, stack, line]),
  );
  return samplesOf([window], { from: 0, to: 1e9, number: 0, alone: true, whole: true }, new ExecutionLog());
};
const named = async (samples: OperationSamples): Promise<HotFunction[]> => {
  const hot = hotCodeOf(samples);
  return nameHotFunctions(
    hot,
    await CodeNames.prepare(functionsIn(hot), new SourceMaps(), new SourceTexts()),
  );
};
const brief = async (...stacks: Ran[]): Promise<string[]> =>
  (await named(samplesWith(...stacks))).map(
    ({ function: name, share, calledFrom }) =>
      `${name} ${share}${calledFrom === undefined ? '' : ` from ${calledFrom.function}`}`,
  );

describe('hot functions', () => {
  it('are ranked by self time, with their most frequent line', async () => {
    const hot = await named(
      samplesWith(
        [[SERVE, SELL], 11],
        [[SERVE, SELL, HASH], 22],
        [[SERVE, SELL, HASH], 23],
        [[SERVE, SELL, HASH], 23],
        [IDLE_STACK],
      ),
    );
    expect(hot).toEqual([
      { function: 'hash', share: 0.75, file: APP, line: 23 },
      { function: 'sell', share: 0.25, file: APP, line: 11 },
    ]);
  });

  it('have the line of their definition if V8 reported no other', async () => {
    const [hot] = await named(samplesWith([[SELL]]));
    expect(hot).toMatchObject({ function: 'sell', line: 10 });
  });

  it('are merged across callers and windows', async () => {
    const window = (at: number): ReturnType<typeof windowWith> =>
      windowWith(at, at + 2, [
        [at, [SELL, HASH]],
        [at + 1, [SERVE, HASH]],
      ]);
    const operation = { from: 0, to: 9, number: 0, alone: true, whole: true };
    expect(await named(samplesOf([window(0), window(2)], operation, new ExecutionLog()))).toMatchObject([
      { function: 'hash', share: 1 },
    ]);
  });

  it('are those called by the user’s line, if Node or a dependency runs', async () => {
    expect(
      await brief(
        [[SELL, ['pbkdf2Sync', 'node:internal/crypto/pbkdf2', 9], ['run']]],
        [[SELL, ['pbkdf2Sync', 'node:internal/crypto/pbkdf2', 9], ['run']]],
        [[HASH, ['find', ORM, 3], ['deep', ORM, 9], ['(garbage collector)']]],
      ),
    ).toEqual(['pbkdf2Sync 0.667 from sell', 'find 0.333 from hash']);
  });

  it('are the user’s own where this library runs within them, also if Node calls it', async () => {
    const own: Call = ['created', join(process.cwd(), 'lib/code/promise-stacks.ts'), 9];
    const hook: Call = ['promiseInitHook', 'node:internal/async_hooks', 3];
    expect(await brief([[SELL, hook, own]], [[SELL, own, ['captureStackTrace']]])).toEqual(['sell 1']);
  });

  it('are those within which Node counts promises and callbacks', async () => {
    const hook: Call = ['promiseInitHook', 'node:internal/async_hooks', 3];
    const tick: Call = ['processTicksAndRejections', 'node:internal/process/task_queues', 3];
    expect(
      await brief(
        [[SELL, hook]],
        [[SELL, ['find', ORM, 3], hook, ['emitInitScript', 'node:internal/async_hooks', 9]]],
        [[tick, ['runMicrotasks'], SELL, hook]],
        [[tick, ['runMicrotasks']]],
      ),
    ).toEqual(['sell 0.5', 'find 0.25 from sell', 'runMicrotasks 0.25']);
  });

  it('have a file if they belong to a dependency, and none if they belong to Node', async () => {
    const [node, dependency] = await named(
      samplesWith(
        [[SELL, ['gzipSync', 'node:zlib', 9]]],
        [[SELL, ['gzipSync', 'node:zlib', 9]]],
        [[SELL, ['find', ORM, 3], ['deep', ORM, 9]], 12],
      ),
    );
    expect(node).toEqual({
      function: 'gzipSync',
      share: 0.667,
      calledFrom: expect.objectContaining({ line: 10 }),
    });
    // A line of what it calls is not its own.
    expect(dependency).toMatchObject({ function: 'find', line: 12, calledFrom: { function: 'sell' } });
  });

  it('have a hottest line if the first is the user’s own', async () => {
    const lineOf = async (...stacks: Ran[]): Promise<string | undefined> => {
      const hot = hotCodeOf(samplesWith(...stacks));
      const names = await CodeNames.prepare(functionsIn(hot), new SourceMaps(), new SourceTexts());
      const site = hottestLine(hot, names);
      return site && `${site.function} ${site.file}:${site.line}`;
    };
    const find: Ran = [[SELL, ['find', ORM, 3]]];
    const collector: Ran = [[['(garbage collector)']]];
    expect(await lineOf([[SELL, HASH], 23], [[SELL, HASH], 23], [[SELL, HASH], 22], find)).toBe(
      `hash ${APP}:23`,
    );
    expect(await lineOf(collector, collector, [[SELL, HASH], 23])).toBe(`hash ${APP}:23`);
    // Which line called it, the samples do not say.
    expect(await lineOf(find, find, [[SELL, HASH], 23])).toBeUndefined();
    expect(await lineOf([[SERVE]], [[SERVE]], [[SELL, HASH], 23])).toBeUndefined();
    // An application in packages.
    expect(
      await lineOf([[SERVE], 6], [[SERVE], 6], [[SERVE, ['query', '/app/node_modules/pg/a.js', 9]]]),
    ).toMatch(/^serve .*node_modules\/http\/index\.js:6$/);
    expect(await lineOf()).toBeUndefined();
  });

  it('have their own name if no user code called them', async () => {
    expect(await brief([[SERVE, ['parse', ORM, 3]]], [[['(program)']]], [[['(garbage collector)']]])).toEqual(
      ['parse 0.333', '(program) 0.333', '(garbage collector) 0.333'],
    );
  });

  it('attribute an anonymous function to its named enclosing function in the same file', async () => {
    expect(
      await brief(
        [[SELL, ['map'], ['', APP, 12]], 12],
        [[SELL, ['', APP, 12], ['', APP, 13]], 13],
        [[HASH, ['', APP, 21], ['pbkdf2Sync', 'node:crypto', 9]]],
      ),
    ).toEqual(['sell 0.667', 'pbkdf2Sync 0.333 from hash']);
  });

  it('keep an anonymous function without enclosing function anonymous', async () => {
    expect(
      await brief(
        [[['', APP, 12]]],
        [
          [
            ['other', '/app/other.js', 1],
            ['', APP, 12],
          ],
        ],
      ),
    ).toEqual(['(anonymous) 1']);
  });

  it('attribute a regular expression to its caller', async () => {
    const regexp: Call = ['RegExp'];
    expect(await brief([[SELL, regexp]], [[SELL]], [[SELL, ['', APP, 12], regexp]])).toEqual(['sell 1']);
    expect(await brief([[SELL, ['test'], regexp]])).toEqual(['test 1 from sell']);
    expect(await brief([[regexp]])).toHaveLength(1);
  });

  it('are limited to ten', async () => {
    const many = Array.from({ length: 30 }, (_, index): [readonly Call[]] => [
      [[`f${index}`, APP, index + 1]],
    ]);
    expect(await brief(...many)).toHaveLength(10);
    expect(await brief()).toEqual([]);
  });

  it('count only the operation’s own samples', async () => {
    const executionLog = new ExecutionLog();
    executionLog.number(0);
    executionLog.number(0);
    executionLog.mark(1, 0);
    executionLog.mark(2, 1);
    const window = windowWith(0, 9, [
      [0, [SELL]],
      [1, [HASH]],
      [2, [HASH]],
      [3, IDLE_STACK],
    ]);
    const samples = samplesOf(
      [window],
      { from: 0, to: 9, number: 1, alone: false, whole: true },
      executionLog,
    );
    expect(await named(samples)).toMatchObject([{ function: 'sell', share: 1 }]);
  });
});
