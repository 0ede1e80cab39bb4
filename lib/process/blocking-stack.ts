import { functionName } from '../code/function-name.js';
import type { StackFrame } from './stall.js';

/** The innermost frames are kept. */
const MAX_FRAMES = 40;

type CallSites = readonly NodeJS.CallSite[];

/**
 * The calls below `above`, innermost first. Returns undefined if they do not show what blocks: they are only Node's own code,
 * or they include the heartbeat, so the loop turns again.
 *
 * Reads V8's call sites unformatted. Formatting would run the application's `Error.prepareStackTrace`, which may read
 * source maps, while the event loop is blocked.
 */
export function blockingStack(above: () => void, heartbeat: string): StackFrame[] | undefined {
  const { prepareStackTrace, stackTraceLimit } = Error;
  let sites: CallSites;
  try {
    // One more frame for the expression that the inspector evaluates.
    Error.stackTraceLimit = MAX_FRAMES + 1;
    Error.prepareStackTrace = (_error, callSites) => callSites;
    const holder: { stack?: unknown } = {};
    Error.captureStackTrace(holder, above);
    if (!Array.isArray(holder.stack)) return undefined;
    sites = holder.stack;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    // A key with the value undefined would still make Node call it.
    if (prepareStackTrace === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace');
    else Error.prepareStackTrace = prepareStackTrace;
  }
  const frames = sites.map(toFrame);
  if (isAnonymous(frames[0])) frames.shift();
  const hasUserCode = frames.some(({ url }) => url !== '' && !url.startsWith('node:'));
  const turnsAgain = frames.some(({ functionName }) => functionName === heartbeat);
  return hasUserCode && !turnsAgain ? frames.slice(0, MAX_FRAMES) : undefined;
}

function toFrame(site: NodeJS.CallSite): StackFrame {
  const url = site.getFileName() ?? '';
  return {
    functionName: (url === '' ? builtinName(site) : functionName(site)) ?? '',
    url,
    line: site.getLineNumber() ?? 0,
    column: site.getColumnNumber() ?? 0,
  };
}

/** A built-in function has no file, so its name includes its type: `RegExp.test`. */
function builtinName(site: NodeJS.CallSite): string | undefined {
  const name = site.getFunctionName() ?? '';
  const owner = name === '' ? null : site.getTypeName();
  return owner === null || owner === 'Object' ? name : `${owner}.${name}`;
}

function isAnonymous(frame: StackFrame | undefined): boolean {
  return frame?.functionName === '' && frame.url === '';
}
