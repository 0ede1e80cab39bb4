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
