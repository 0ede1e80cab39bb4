/** A function as V8 knows it: where its definition begins, as it runs. Lines and columns count from 1. */
export interface CodeFunction {
  /** Empty for an anonymous one; `(idle)`, `(program)`, `(garbage collector)` and `(root)` are V8's own. */
  readonly name: string;
  /** A path, a `file://` URL or `node:…`; empty for what has no code. */
  readonly url: string;
  readonly line: number;
  readonly column: number;
}

/**
 * Some seconds of samples, in few bytes. Times are milliseconds on the clock of `performance.now()`. Two windows that
 * follow each other overlap by a moment, so that no sample between them is lost.
 */
export interface SampleWindow {
  readonly startedAt: number;
  readonly endedAt: number;
  /** From one sample to the next, as it was asked for. */
  readonly intervalMs: number;
  /** Each once. */
  readonly functions: readonly CodeFunction[];
  /** By node of the tree of calls: its function; its parent, which comes before it, or -1. */
  readonly nodeFunction: Int32Array;
  readonly nodeParent: Int32Array;
  /** By node: the line with the most of its own samples, 0 where it is not known. */
  readonly nodeLine: Int32Array;
  /** By sample, in the order of time: the innermost call, and when. */
  readonly sampleNode: Int32Array;
  readonly sampleAt: Float64Array;
}

/** What takes the samples. */
export interface Sampler {
  readonly name: 'inspector' | 'datadog';
  /** Why it must not sample now, if so. It may go away. */
  obstacle?(): string | undefined;
  /** Also after a stop. @throws where this process cannot be sampled; the message says why */
  start(): void;
  /** Ends the present window and begins the next one with no gap between. */
  rotate(): SampleWindow;
  stop(): void;
}

/** A regular expression that V8 has compiled. */
export const REGEXP = 'RegExp';

/** V8's name of a function. That of a regular expression is its text, which may hold what a user has typed. */
export function codeName(name: string): string {
  return name.startsWith('RegExp: ') ? REGEXP : name;
}

/** An object of some fields, and a string of one byte a character with its header, as V8 keeps them. */
const OBJECT_BYTES = 56;
const STRING_BYTES = 24;

/** What a window takes in memory: counted, not measured. A script's URL is shared by its functions. */
export function bytesOf(window: SampleWindow): number {
  const urls = new Set<string>();
  let bytes = 0;
  for (const { name, url } of window.functions) {
    bytes += OBJECT_BYTES + STRING_BYTES + name.length;
    if (!urls.has(url)) bytes += STRING_BYTES + url.length;
    urls.add(url);
  }
  const { nodeFunction, nodeParent, nodeLine, sampleNode, sampleAt } = window;
  for (const array of [nodeFunction, nodeParent, nodeLine, sampleNode, sampleAt]) bytes += array.byteLength;
  return bytes;
}
