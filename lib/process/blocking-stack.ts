import { functionName } from '../code/function-name.js';
import type { StackFrame } from './stall.js';

/** Frames that are kept, the innermost ones. */
const MAX_FRAMES = 40;

type CallSites = readonly NodeJS.CallSite[];

/**
 * The calls below `above`, or nothing where they do not say what blocks: no code but Node's own, or the heartbeat,
 * with which the loop turns again.
 *
 * The frames are taken as V8 has them. Formatting would run the application's `Error.prepareStackTrace`, and with
 * it the reading of source maps, while the event loop stands still.
 */
export function blockingStack(above: () => void, heartbeat: string): StackFrame[] | undefined {
  const { prepareStackTrace, stackTraceLimit } = Error;
  let sites: CallSites;
  try {
    // One more: the expression that the inspector evaluated.
    Error.stackTraceLimit = MAX_FRAMES + 1;
    Error.prepareStackTrace = (_error, callSites) => callSites;
    const holder: { stack?: unknown } = {};
    Error.captureStackTrace(holder, above);
    if (!Array.isArray(holder.stack)) return undefined;
    sites = holder.stack;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    // The key stays away where it was away: its presence alone makes Node call it.
    if (prepareStackTrace === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace');
    else Error.prepareStackTrace = prepareStackTrace;
  }
  const frames = sites.map(toFrame);
  if (isAnonymous(frames[0])) frames.shift();
  const told = frames.some(({ url }) => url !== '' && !url.startsWith('node:'));
  const turned = frames.some(({ functionName }) => functionName === heartbeat);
  return told && !turned ? frames.slice(0, MAX_FRAMES) : undefined;
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

/** A function of the language has no file that would tell whose it is: `RegExp.test`. */
function builtinName(site: NodeJS.CallSite): string | undefined {
  const name = site.getFunctionName() ?? '';
  const owner = name === '' ? null : site.getTypeName();
  return owner === null || owner === 'Object' ? name : `${owner}.${name}`;
}

function isAnonymous(frame: StackFrame | undefined): boolean {
  return frame?.functionName === '' && frame.url === '';
}
