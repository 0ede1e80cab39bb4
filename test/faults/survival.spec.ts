import { describe, expect, it, jest } from '@jest/globals';
import { type End, FaultProcess, type Message } from './process.js';

async function survive(
  fault: string,
  options?: ConstructorParameters<typeof FaultProcess>[2],
): Promise<{ end: End; message: Message }> {
  const process = new FaultProcess('survive.mjs', [fault], options);
  const end = await process.ended;
  await process.remove();
  const message = end.messages.find((one) => 'done' in one);
  if (message === undefined) throw new Error(`${fault}: ended with ${end.code ?? end.signal}: ${end.stderr}`);
  return { end, message };
}

jest.setTimeout(60_000);

describe('an application goes on and ends by itself', () => {
  it.each([
    ['with 100,000 children in one trace', 'many-children'],
    ['with 20,000 spans that never end', 'never-ending-spans'],
    ['with hostile names', 'hostile-names'],
    ['with recursion to the end of the stack', 'deep-recursion'],
    ['with huge headers', 'huge-headers'],
    ['with aborted requests', 'aborted-requests'],
    ['when the clock is set back a day', 'clock-backward'],
    ['when the clock is set forward a week', 'clock-forward'],
    ['when a worker thread exits', 'worker-exit'],
    ['as a worker of a cluster', 'cluster'],
    ['when standard error is closed', 'no-console'],
  ])('%s', async (_, fault) => {
    const { end, message } = await survive(fault);
    expect({ code: end.code, signal: end.signal, alive: message['alive'] }).toEqual({
      code: 0,
      signal: null,
      alive: 'slow',
    });
  });

  it('after its event loop was blocked for 10 seconds', async () => {
    const { message } = await survive('blocked-loop');
    expect(message['alive']).toBe('slow');
    expect(message['findings']).toContain('event_loop_block');
  }, 60_000);

  it('with 10,000 distinct routes, of which it keeps a limited number', async () => {
    const { message } = await survive('many-routes');
    expect((message['result'] as { operations: number }).operations).toBeLessThan(2500);
    expect(message['totalOperations']).toBeGreaterThan(10_000);
  });

  it('when no more files can be opened, with the last resident set that could be read', async () => {
    const { end, message } = await survive('no-files', {
      command: ['sh', '-c', 'ulimit -n 1024; exec "$0" "$@"'],
    });
    expect(end.code).toBe(0);
    expect(message['alive']).toBe('slow');
    expect(message['result']).toEqual({ code: 'EMFILE', kept: true, heap: true });
  });

  it('with a small heap', async () => {
    const { end } = await survive('many-children', { execArgv: ['--max-old-space-size=96'] });
    expect(end.code).toBe(0);
  }, 60_000);

  it('under the permission model, which forbids the inspector', async () => {
    const [major = 0] = process.versions.node.split('.').map(Number);
    const flag = major >= 24 ? '--permission' : '--experimental-permission';
    const { end } = await survive('none', {
      execArgv: [flag, '--allow-fs-read=*', '--allow-fs-write=*', ...(major >= 25 ? ['--allow-net'] : [])],
    });
    expect(end.code).toBe(0);
  });

  it('with files limited to nothing, as on a full disk', async () => {
    // One block: standard output is a pipe.
    const { end } = await survive('clock-forward', {
      command: ['sh', '-c', 'ulimit -f 0; trap "" XFSZ; exec "$0" "$@"'],
    });
    expect(end.code).toBe(0);
  });

  it('after it was stopped and continued', async () => {
    const child = new FaultProcess('survive.mjs', ['stopped']);
    await child.message('ready');
    child.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 2000));
    child.kill('SIGCONT');
    const { code, messages } = await child.ended;
    await child.remove();
    expect(code).toBe(0);
    const { alive, findings } = messages.at(-1) as { alive: string; findings: string[] };
    expect(alive).toBe('slow');
    expect(findings).not.toContain('event_loop_block');
  });
});

describe('the process of an application', () => {
  it('keeps its handlers of uncaught exceptions and unhandled rejections', async () => {
    const { message } = await survive('handlers-untouched');
    const { before, during } = message['result'] as { before: number[]; during: number[] };
    expect(during).toEqual(before);
    expect(message['after']).toEqual(before);
  });

  it('ends with its own code by process.exit()', async () => {
    const child = new FaultProcess('survive.mjs', ['exit-in-handler']);
    const { code } = await child.ended;
    await child.remove();
    expect(code).toBe(7);
  });
});
