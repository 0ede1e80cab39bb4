import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { SourceMaps } from '../../lib/code/source-maps.js';
import { SourceTexts } from '../../lib/code/source-texts.js';
import { CodeNames } from '../../lib/profiling/code-names.js';
import { ExecutionLog } from '../../lib/profiling/execution-log.js';
import { type OperationSamples, samplesOf } from '../../lib/profiling/operation-samples.js';
import {
  callersIn,
  namePackageCalls,
  type PackageCalls,
  packageCallsOf,
} from '../../lib/profiling/package-calls.js';
import { type Call, HASH, ORM, type Sample, SELL, SERVE, windowWith } from './windows.js';

const FIND: Call = ['find', ORM, 3];
const COPY: Call = ['copy', '/app/node_modules/@scope/copy/index.js', 3];
const NATIVE: Call = ['writev'];

/** Samples, a millisecond from one to the next, all of them the operation's own. */
function samplesWith(...stacks: (readonly Call[])[]): OperationSamples {
  const samples = stacks.map((stack, at): Sample => [at, stack]);
  const operation = { from: 0, to: 1e9, number: 0, alone: true, whole: true };
  return samplesOf([windowWith(0, stacks.length, samples)], operation, new ExecutionLog());
}

async function named(...stacks: (readonly Call[])[]): Promise<readonly PackageCalls[]> {
  const calls = packageCallsOf(samplesWith(...stacks));
  const names = await CodeNames.prepare(callersIn(calls), new SourceMaps(), new SourceTexts());
  return namePackageCalls(calls, stacks.length, names);
}

describe('the packages in which an operation ran', () => {
  it('are those that a function of the user called, whatever these called in turn', async () => {
    expect(
      await named(
        [SERVE, SELL, FIND],
        [SERVE, SELL, FIND, COPY, NATIVE],
        [SERVE, SELL, COPY],
        [SERVE, SELL, HASH, FIND],
      ),
    ).toEqual([
      { called: 'orm', calledFrom: expect.objectContaining({ function: 'sell', line: 10 }), share: 0.5 },
      { called: '@scope/copy', calledFrom: expect.objectContaining({ function: 'sell' }), share: 0.25 },
      { called: 'orm', calledFrom: expect.objectContaining({ function: 'hash', line: 20 }), share: 0.25 },
    ]);
  });

  it('are the outermost ones if no function of the user is on the stack', async () => {
    expect(await named([FIND, COPY, NATIVE], [FIND])).toEqual([{ called: 'orm', share: 1 }]);
  });

  it('are not this package, which serves each request', async () => {
    const own: Call = ['emit', join(__dirname, '../../lib/node_modules/nestjs-performance/index.js'), 5];
    expect(await named([own, FIND])).toEqual([{ called: 'orm', share: 1 }]);
    expect(await named([own])).toEqual([]);
  });

  it('are none while the user’s own code or Node ran', async () => {
    expect(await named([SERVE, SELL], [SERVE, SELL, NATIVE], [NATIVE])).toEqual([]);
  });

  it('are bounded', async () => {
    const many = Array.from(
      { length: 50 },
      (_, index): Call => ['run', `/app/node_modules/package-${index}/index.js`, 1],
    );
    expect(await named(...many.map((call) => [call]))).toHaveLength(10);
  });
});
