import { parseStackLine } from './stack-text.js';

/** A position in a file, which counts from 1. */
export interface Position {
  readonly url: string;
  readonly line: number;
  readonly column: number;
}

/** A position, and the how-manieth frame of the stack it belongs to. */
export interface FramePosition extends Position {
  readonly index: number;
}

/** Positions, not frames: a program has only so many call sites. What is beyond is asked for anew. */
const MAX_POSITIONS = 2000;
const mapped = new Map<string, Position | undefined>();

/**
 * Whether what runs may exist in memory only, transformed from this file: Jest, ts-node and their like. They install
 * what maps the stacks' texts. Of a built file the text is not asked for: its map could be read synchronously then.
 */
function isTransformedInMemory(url: string): boolean {
  return /\.[cm]?tsx?$/.test(url) || process.env['JEST_WORKER_ID'] !== undefined;
}

/**
 * Where the process itself says that frames are: in the order given, with nothing for those of which it says the same.
 * @param depth how many frames the whole stack has
 * @param formatted makes the text of the same stack; called only for a position that is not known yet
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
    // The formatter is somebody else's.
    return '';
  }
}

function learn(frames: readonly FramePosition[], depth: number, text: string): void {
  const lines = text.split('\n').filter((line) => /^\s*at /.test(line));
  if (mapped.size + frames.length > MAX_POSITIONS) mapped.clear();
  for (const frame of frames) {
    // A formatter may leave frames out; then nobody knows which line is which frame's.
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
