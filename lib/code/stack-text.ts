/** One line of a stack trace. */
export interface StackLine {
  /** Empty for an anonymous function. */
  readonly name: string;
  readonly url: string;
  readonly line: number;
  readonly column: number;
}

/** `at async Catalog.list [as all] (file.ts:1:2)`, or without a name `at file.ts:1:2`. A path may hold spaces. */
const LINE = /^\s*at (?:async )?(?:(.+?) (?:\[as .+?\] )?\((.+):(\d+):(\d+)\)|(.+):(\d+):(\d+))$/;

/** Parses one line of a stack trace; undefined if it has no position, such as a message. */
export function parseStackLine(text: string): StackLine | undefined {
  const match = LINE.exec(text);
  if (match === null) return undefined;
  const name = match[1] ?? '';
  return {
    name: name.endsWith('<anonymous>') ? '' : name,
    url: match[2] ?? match[5] ?? '',
    line: Number(match[3] ?? match[6]),
    column: Number(match[4] ?? match[7]),
  };
}

/** The lines of a stack trace that have a position, innermost first. */
export function parseStack(stack: string): StackLine[] {
  return stack
    .split('\n')
    .map(parseStackLine)
    .filter((line) => line !== undefined);
}

/** A line of a stack that stands for a frame, whether or not it has a position. */
const FRAME = /^\s*at /;

/**
 * The frames of an error's stack: the lines that follow its header without a gap. The header repeats the message, whose
 * lines may look like frames.
 * @param header the message as it is now, or the name if there is none. If the stack has another one, lines of both are no
 * frames.
 */
export function framesIn(stack: string, header: string): string {
  const at = header === '' ? -1 : stack.indexOf(header);
  const lines = stack.slice(at < 0 ? 0 : at + header.length).split('\n');
  const isFrame = (line: string): boolean => FRAME.test(line) && (at >= 0 || !header.includes(line));
  const first = lines.findIndex(isFrame);
  if (first < 0) return '';
  const length = lines.slice(first).findIndex((line) => !isFrame(line));
  return lines.slice(first, length < 0 ? undefined : first + length).join('\n');
}
