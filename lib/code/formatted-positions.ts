import { parseStackLine } from './stack-text.js';

/** A position in a file. Line and column are 1-based. */
export interface Position {
  readonly url: string;
  readonly line: number;
  readonly column: number;
}

/** The position of a frame, and the frame's index in the stack. */
export interface FramePosition extends Position {
  readonly index: number;
}

/** A program has a limited number of call sites. If it has more, the cache is emptied and filled again. */
const MAX_POSITIONS = 2000;
const mapped = new Map<string, Position | undefined>();

/**
 * Whether the code may exist only in memory, transformed from this file by Jest, ts-node or a similar loader. Those
 * install a formatter that maps stack traces. The formatter is not used for built files: it might read their source map
 * synchronously.
 */
function isTransformedInMemory(url: string): boolean {
  return /\.[cm]?tsx?$/.test(url) || process.env['JEST_WORKER_ID'] !== undefined;
}

/** Whether the process formats stacks in its own way. */
export function hasFormatter(): boolean {
  const { sourceMapsEnabled } = process as { sourceMapsEnabled?: boolean };
  const isInJest = process.env['JEST_WORKER_ID'] !== undefined;
  return Error.prepareStackTrace !== undefined || sourceMapsEnabled === true || isInJest;
}

/**
 * The positions of frames as the process's stack formatter reports them, in the given order; undefined where the
 * formatter changes nothing.
 * @param depth the number of frames of the whole stack
 * @param formatted returns the text of the same stack; called only for a position that is not cached
 */
export function formattedPositions(
  frames: readonly FramePosition[],
  depth: number,
  formatted: () => string,
): (Position | undefined)[] {
  const asked = frames.filter(({ url }) => isTransformedInMemory(url));
  if (asked.length === 0) return [];
  const unknown = asked.filter((frame) => !mapped.has(keyOf(frame)));
  if (unknown.length > 0) learn(unknown, depth, textOf(formatted));
  return frames.map((frame) => mapped.get(keyOf(frame)));
}

function textOf(formatted: () => string): string {
  try {
    return formatted();
  } catch {
    // The formatter is not ours and may throw.
    return '';
  }
}

function learn(frames: readonly FramePosition[], depth: number, text: string): void {
  const lines = text.split('\n').filter((line) => /^\s*at /.test(line));
  if (mapped.size + frames.length > MAX_POSITIONS) mapped.clear();
  for (const frame of frames) {
    // A formatter may omit frames; then lines cannot be matched to frames.
    const found = lines.length === depth ? parseStackLine(lines[frame.index] ?? '') : undefined;
    mapped.set(
      keyOf(frame),
      found === undefined || keyOf(found) === keyOf(frame) ? undefined : positionOf(found),
    );
  }
}

function positionOf({ url, line, column }: Position): Position {
  return { url, line, column };
}

function keyOf({ url, line, column }: Position): string {
  return `${url}:${line}:${column}`;
}
