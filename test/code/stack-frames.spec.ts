import { describe, expect, it } from '@jest/globals';
import { framesIn } from '../../lib/code/stack-text.js';
import { framesOf } from '../../lib/explain/thrown-error.js';

const EVIL = '\n    at evil (/srv/shop/evil.ts:1:1)';

/** The files of the frames that are read from a failure. */
function filesOf(thrown: unknown): string[] {
  const unknown = { statusCode: 500, durationMs: 1, traceId: '', spanId: '' };
  const failed = { type: 'http', name: 'GET /', thrown, recorded: undefined, ...unknown };
  return framesOf(failed).map(({ url }) => url.slice(url.lastIndexOf('/') + 1));
}

const here = 'stack-frames.spec.ts';

describe('The frames of an error', () => {
  it.each<[string, () => unknown]>([
    ['in its message', () => new Error(`no album${EVIL}`)],
    ['in a long message', () => new Error(`${'x'.repeat(600)}${EVIL}`)],
    ['in a message with a credential', () => new Error(`postgres://user:secret@host/${EVIL}`)],
    ['in a message of frames only', () => new Error(EVIL)],
    ['in its name', () => Object.assign(named(`Odd${EVIL}`, ''), {})],
    ['in a message that was extended', () => extended(new Error(`no album${EVIL}`))],
  ])('are those of the code, not lines %s', (_where, create) => {
    const files = filesOf(create());
    expect(files).toContain(here);
    expect(files).not.toContain('evil.ts');
  });

  it.each<[string, () => unknown]>([
    ['with a plain message', () => new Error('boom')],
    ['without a message', () => new Error()],
    ['whose name was set later', () => Object.assign(new Error(), { name: 'NoSuchAlbum' })],
    ['whose message was replaced', () => Object.assign(new Error('boom'), { message: 'other' })],
    ['of a message in several lines', () => new Error('no album\n  at all\n\nof this name')],
  ])('are read from an error %s', (_what, create) => {
    expect(filesOf(create())[0]).toBe(here);
  });

  it('end where other text begins, such as the stack of a cause', () => {
    const stack = `Error: boom\n    at a (/srv/a.ts:1:1)\n    at <anonymous>\nCaused by: Error: x${EVIL}`;
    expect(framesIn(stack, 'boom')).toBe('    at a (/srv/a.ts:1:1)\n    at <anonymous>');
  });

  it('are none of a stack without frames', () => {
    expect(framesIn('Error: boom', 'boom')).toBe('');
    expect(framesIn('', '')).toBe('');
  });
});

function named(name: string, message: string): Error {
  const previous = Error.prototype.name;
  Error.prototype.name = name;
  try {
    return Object.assign(new Error(message), { name });
  } finally {
    Error.prototype.name = previous;
  }
}

function extended(error: Error): Error {
  error.message = `Loading failed: ${error.message}`;
  return error;
}
