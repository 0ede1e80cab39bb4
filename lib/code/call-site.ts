import { isInApplicationPackage } from './application-packages.js';
import { type FramePosition, formattedPositions, hasFormatter } from './formatted-positions.js';
import { functionName } from './function-name.js';
import { isBundled } from './own-code.js';
import { type HeldStack, holdStack, readStack, textOf } from './stack-capture.js';
import { parseStack } from './stack-text.js';
import { type CodePosition, dependencyOf, isUserPosition } from './user-code.js';

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
  /** The installed packages that it called, the nearest first; see `dependencyOf`. Known of the innermost frame. */
  readonly through?: readonly string[];
}

/** In a bundle, frames of dependencies cannot be separated from the user's before its source map is read. */
const BUNDLE_FACTOR = 4;

export const ANONYMOUS = '(anonymous)';

/**
 * The current frames of the user's code, innermost first, including those that await them; where there are none, those of
 * packages that may hold the application. An anonymous function gets the name of its enclosing function. Does no I/O and never throws.
 * @param max the maximum number of frames; in a bundle four times as many, among which are those of dependencies
 */
export function captureUserFrames(max = 10): RawFrame[] {
  return holdUserFrames(captureUserFrames)(max);
}

/** The installed packages whose functions run, the outermost first. */
export function packagesOnStack(): string[] {
  try {
    const { sites } = readStack(holdStack(packagesOnStack));
    return packagesOf(sites.map((site) => site.getFileName()));
  } catch {
    return [];
  }
}

/** Reads a kept stack: its frames of the user's code, as {@link captureUserFrames} returns them. */
export type HeldFrames = (max: number) => RawFrame[];

/**
 * Keeps the current stack, to be read later, once. Does no I/O and never throws.
 * @param above the innermost frame left out, along with the calls that it made
 * @param depth the maximum number of frames, those of packages included. Default: enough for a whole request
 */
export function holdUserFrames(
  above: (...args: never[]) => unknown = holdUserFrames,
  depth?: number,
): HeldFrames {
  try {
    const held = holdStack(above, depth);
    const formatted = hasFormatter() ? holdStack(above, depth) : undefined;
    return (max) => framesOf(held, formatted, max);
  } catch {
    return () => [];
  }
}

/** @param formatted the same stack again, as a stack is formatted once */
function framesOf(held: HeldStack, formatted: HeldStack | undefined, max: number): RawFrame[] {
  try {
    const { sites, text } = readStack(held);
    const most = isBundled() ? max * BUNDLE_FACTOR : max;
    if (sites.length === 0) return framesOfText(text, most);
    return framesOfSites(sites, most, () => (formatted === undefined ? '' : textOf(formatted)));
  } catch {
    return [];
  }
}

type IsUser = (position: CodePosition) => boolean;

/**
 * The innermost frame that is the user's code, else the innermost one of a package that may hold the application. An anonymous
 * function gets the name of its enclosing function.
 */
export function firstUserFrame(
  frames: readonly RawFrame[],
  isUser: IsUser = isUserPosition,
): RawFrame | undefined {
  const found = frames.find(isUser) ?? frames.find(isInApplicationPackage);
  if (found?.functionName !== '') return found;
  const around = frames.slice(frames.indexOf(found));
  const outer = around.find(({ functionName, url }) => url === found.url && functionName !== '');
  return { ...found, functionName: outer?.functionName ?? ANONYMOUS };
}

/** Whether a captured stack has a line of the user's code. */
export function hasUserCode(frames: readonly RawFrame[]): boolean {
  return frames.some(isUserPosition);
}

/**
 * The frames of the user's code in the text of a stack, innermost first. An anonymous function gets the name of its
 * enclosing function.
 * @param max the maximum number of frames; in a bundle four times as many, among which are those of dependencies
 */
export function userFramesOf(stack: string, max: number): RawFrame[] {
  return framesOfText(stack, isBundled() ? max * BUNDLE_FACTOR : max);
}

function framesOfSites(sites: readonly NodeJS.CallSite[], max: number, formatted: () => string): RawFrame[] {
  let isUser: IsUser = isUserPosition;
  let users = positionsIn(sites, max, isUser);
  if (users.length === 0) {
    isUser = isInApplicationPackage;
    users = positionsIn(sites, max, isUser);
  }
  const mapped = formattedPositions(users, sites.length, formatted);
  return users.map(({ url, line, column, index }, at) => {
    const name = nameAt(sites, index, url, isUser);
    const original = mapped[at];
    const through = at === 0 ? packagesOf(sites.slice(0, index).map((site) => site.getFileName())) : [];
    return {
      functionName: name,
      ...(original === undefined ? { url, line, column } : { ...original, mapped: true }),
      ...(through.length === 0 ? {} : { through }),
    };
  });
}

function positionsIn(sites: readonly NodeJS.CallSite[], max: number, isUser: IsUser): FramePosition[] {
  const found: FramePosition[] = [];
  for (let index = 0; index < sites.length && found.length < max; index++) {
    const position = new SitePosition(sites[index] as NodeJS.CallSite);
    if (!isUser(position)) continue;
    const { url, line, column } = position;
    found.push({ url, line, column, index });
  }
  return found;
}

/** @param urls of frames, the innermost first */
function packagesOf(urls: readonly (string | null | undefined)[]): string[] {
  const packages = new Set<string>();
  for (const url of urls) {
    const name = dependencyOf(url ?? '');
    if (name !== undefined) packages.add(name);
  }
  return [...packages].reverse();
}

/** The callback in `albums.map(…)` runs within the method that called `map`: the next named frame of the same file. */
function nameAt(sites: readonly NodeJS.CallSite[], index: number, url: string, isUser: IsUser): string {
  for (let at = index; at < sites.length; at++) {
    const site = sites[at] as NodeJS.CallSite;
    const name =
      site.getFileName() === url && isUser(new SitePosition(site)) ? functionName(site) : undefined;
    if (name !== undefined) return name;
  }
  return ANONYMOUS;
}

/** V8 calculates lines and columns when they are read: of most frames, only the file is. */
class SitePosition implements CodePosition {
  readonly url: string;

  constructor(private readonly site: NodeJS.CallSite) {
    this.url = site.getFileName() ?? '';
  }

  get line(): number {
    return this.site.getLineNumber() ?? 1;
  }

  get column(): number {
    return this.site.getColumnNumber() ?? 1;
  }
}

function framesOfText(stack: string, max: number): RawFrame[] {
  const all = parseStack(stack);
  let users = all.filter(isUserPosition);
  if (users.length === 0) users = all.filter(isInApplicationPackage);
  return users.slice(0, max).map((user, index) => {
    const { name, url, line, column } = user;
    const outer = users.slice(index).find((each) => each.url === url && each.name !== '');
    const through = index === 0 ? packagesOf(all.slice(0, all.indexOf(user)).map((each) => each.url)) : [];
    return {
      functionName: name || outer?.name || ANONYMOUS,
      url,
      line,
      column,
      ...(through.length === 0 ? {} : { through }),
    };
  });
}
