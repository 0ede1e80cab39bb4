import { type FramePosition, formattedPositions } from './formatted-positions.js';
import { functionName } from './function-name.js';
import { captureStack, captureText } from './stack-capture.js';
import { parseStack } from './stack-text.js';
import { isUserCode } from './user-code.js';

export { isUserCode } from './user-code.js';

/** A position in the user's source code. */
export interface CallSite {
  /** `CatalogService.withTracks`, or `(anonymous)`. */
  readonly function: string;
  /** Relative to the working directory with forward slashes if the file lies below it, else absolute. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A stack frame in the code that runs. Lines and columns are 1-based. */
export interface RawFrame {
  readonly functionName: string;
  /** A path or a `file://` URL. */
  readonly url: string;
  readonly line: number;
  readonly column: number;
  /** Whether the position is already one in the source code, so that no source map applies. */
  readonly mapped?: boolean;
}

export const ANONYMOUS = '(anonymous)';

/**
 * The current frames of the user's code, innermost first, including those that await them. An anonymous function gets
 * the name of its enclosing function. Does no I/O and never throws.
 * @param max the maximum number of frames
 */
export function captureUserFrames(max = 10): RawFrame[] {
  try {
    const { sites, text } = captureStack(captureUserFrames);
    if (sites.length === 0) return framesOfText(text, max);
    return framesOfSites(sites, max, () => captureText(captureUserFrames));
  } catch {
    return [];
  }
}

/** The innermost frame that is the user's code. */
export function firstUserFrame(frames: readonly RawFrame[]): RawFrame | undefined {
  return frames.find(({ url }) => isUserCode(url));
}

function framesOfSites(sites: readonly NodeJS.CallSite[], max: number, formatted: () => string): RawFrame[] {
  const users: FramePosition[] = [];
  for (let index = 0; index < sites.length && users.length < max; index++) {
    const site = sites[index] as NodeJS.CallSite;
    const url = site.getFileName() ?? '';
    if (!isUserCode(url)) continue;
    users.push({ url, line: site.getLineNumber() ?? 1, column: site.getColumnNumber() ?? 1, index });
  }
  const mapped = formattedPositions(users, sites.length, formatted);
  return users.map(({ url, line, column, index }, at) => {
    const name = nameAt(sites, index, url);
    const original = mapped[at];
    return original === undefined
      ? { functionName: name, url, line, column }
      : { functionName: name, ...original, mapped: true };
  });
}

/** The callback in `albums.map(…)` runs within the method that called `map`: the next named frame of the same file. */
function nameAt(sites: readonly NodeJS.CallSite[], index: number, url: string): string {
  for (let at = index; at < sites.length; at++) {
    const site = sites[at] as NodeJS.CallSite;
    const name = site.getFileName() === url ? functionName(site) : undefined;
    if (name !== undefined) return name;
  }
  return ANONYMOUS;
}

function framesOfText(stack: string, max: number): RawFrame[] {
  const users = parseStack(stack).filter(({ url }) => isUserCode(url));
  return users.slice(0, max).map(({ name, url, line, column }, index) => {
    const outer = users.slice(index).find((user) => user.url === url && user.name !== '');
    return { functionName: name || outer?.name || ANONYMOUS, url, line, column };
  });
}
