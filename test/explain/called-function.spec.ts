import { describe, expect, it } from '@jest/globals';
import { calledFunction } from '../../lib/explain/stalls.js';
import type { StackFrame } from '../../lib/process/stall.js';

const frame = (functionName: string, url: string): StackFrame => ({ functionName, url, line: 1, column: 1 });
const USER = frame('list', '/app/catalog.js');
const HOOK = frame('promiseInitHook', 'node:internal/async_hooks');
const TICK = frame('processTicksAndRejections', 'node:internal/process/task_queues');
const DRIVER = frame('query', '/app/node_modules/pg/lib/client.js');
const PACKAGE = frame('find', '/app/node_modules/shop/index.js');

describe('the function that runs', () => {
  it.each<[string, StackFrame[], string | undefined]>([
    [
      'the one that the user called',
      [frame('run', ''), frame('pbkdf2Sync', 'node:crypto'), USER],
      'pbkdf2Sync',
    ],
    ['none where the user’s own code runs', [USER], undefined],
    ['none where Node counts the promises of the user’s code', [HOOK, USER], undefined],
    ['the one within which Node counts promises', [HOOK, DRIVER, USER], 'query'],
    ['the innermost where no frame is the user’s', [frame('parse', 'node:url'), DRIVER], 'parse'],
    ['the one within which Node counts promises, without a frame of the user', [HOOK, DRIVER, TICK], 'query'],
    ['none where only Node’s own accounts run', [HOOK, frame('runMicrotasks', ''), TICK], undefined],
    ['the one that an application in a package called', [DRIVER, PACKAGE, TICK], 'query'],
    ['none of this library', [frame('end', `${process.cwd()}/lib/tracing/own-span.ts`), DRIVER], undefined],
  ])('is %s', (_which, stack, expected) => {
    expect(calledFunction(stack)).toBe(expected);
  });

  it('is unknown without a stack', () => {
    expect(calledFunction(undefined)).toBeUndefined();
    expect(calledFunction([])).toBeUndefined();
  });
});
