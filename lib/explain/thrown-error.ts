import { types } from 'node:util';
import { errorNameOf, isError, reasonOf, stackOf } from '../async/thrown.js';
import { type RawFrame, userFramesOf } from '../code/call-site.js';
import { framesIn } from '../code/stack-text.js';
import type { FailedOperation } from '../spans/failed-operation.js';
import { errorType } from '../text/error-text.js';

/** The frames of the application's code that distinguish places. */
const MAX_FRAMES = 8;
/** A longer stack is cut. */
const MAX_STACK = 20_000;

/** The class of an error: its name, or that of its constructor where a subclass has set none. Never throws. */
export function classOf({ thrown, recorded, statusCode }: FailedOperation): string {
  if (thrown === undefined)
    return recorded === undefined || recorded.type === ''
      ? statusClass(statusCode)
      : errorType(recorded.type);
  const name = errorNameOf(thrown);
  return errorType(name === 'Error' ? constructorName(thrown) : name);
}

/** The class of a failure of which only the status of the response is known. */
export function statusClass(statusCode: number | undefined): string {
  return statusCode === undefined ? 'Error' : `HTTP ${statusCode}`;
}

function constructorName(thrown: unknown): string {
  try {
    const name: unknown = types.isProxy(thrown) ? undefined : (thrown as object).constructor.name;
    return typeof name === 'string' && name !== '' ? name : 'Error';
  } catch {
    return 'Error';
  }
}

/** What `String` makes of an object without a message. */
const NO_MESSAGE = /^\[object \w+\]$/;

/** The first line of its message. Never throws. */
export function messageOf({ thrown, recorded }: FailedOperation): string {
  const message = thrown === undefined ? (recorded?.message ?? '') : reasonOf(thrown);
  return NO_MESSAGE.test(message) ? '' : (message.split(/[\r\n]/, 1)[0] as string);
}

/** The frames of the user's code, the innermost first. Lines of the message, which may look like frames, are none. */
export function framesOf(failed: FailedOperation): RawFrame[] {
  const { thrown, recorded } = failed;
  const stack = (thrown === undefined ? recorded?.stack : stackOf(thrown)) ?? '';
  return userFramesOf(framesIn(stack, headerOf(failed)).slice(0, MAX_STACK), MAX_FRAMES);
}

/** What a stack repeats of the error before its frames: the message, or the name where there is none. */
function headerOf({ thrown, recorded }: FailedOperation): string {
  try {
    if (thrown === undefined) return recorded?.message || recorded?.type || '';
    return isError(thrown) ? String(thrown.message) || String(thrown.name) : '';
  } catch {
    return '';
  }
}

/** How many lines a statement that throws may have. */
const STATEMENT_LINES = 6;

/** Whether a message is a constant of the code that threw it, and so contains no value. */
export function isInLines(message: string, lines: readonly string[], line: number): boolean {
  if (message === '') return false;
  const code = lines.slice(line - 1, line - 1 + STATEMENT_LINES).join('\n');
  return [`'`, '"', '`'].some((quote) => code.includes(quote + message + quote));
}
