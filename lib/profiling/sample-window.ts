/**
 * A function as V8 knows it, with the position of its definition in the running code. Lines and columns are 1-based.
 */
export interface CodeFunction {
  /** Empty for an anonymous function. V8 adds `(idle)`, `(program)`, `(garbage collector)` and `(root)`. */
  readonly name: string;
  /** A path, a `file://` URL or `node:…`; empty for native code. */
  readonly url: string;
  readonly line: number;
  readonly column: number;
}

/**
 * Some seconds of samples in a compact form. Times are milliseconds on the clock of `performance.now()`. Consecutive
 * windows overlap slightly, so that no sample between them is lost.
 */
export interface SampleWindow {
  readonly startedAt: number;
  readonly endedAt: number;
  /** The requested interval between two samples. */
  readonly intervalMs: number;
  /** Without duplicates. */
  readonly functions: readonly CodeFunction[];
  /** By node of the call tree: its function; its parent, which precedes it, or -1. */
  readonly nodeFunction: Int32Array;
  readonly nodeParent: Int32Array;
  /** By node: the line with the most of its own samples, 0 if unknown. */
  readonly nodeLine: Int32Array;
  /** By sample, in order of time: the innermost call, and when. */
  readonly sampleNode: Int32Array;
  readonly sampleAt: Float64Array;
}

/** Takes the samples. */
export interface Sampler {
  readonly name: 'inspector' | 'datadog';
  /** Why it must not sample now; undefined if it may. The obstacle may disappear. */
  obstacle?(): string | undefined;
  /** May follow a stop. @throws Error with the reason if this process cannot be sampled */
  start(): void;
  /** Ends the current window and starts the next one, without a gap. */
  rotate(): SampleWindow;
  stop(): void;
}

/** The name of a compiled regular expression. */
export const REGEXP = 'RegExp';

/** A function's name from V8's. The name of a regular expression is its source, which may contain user input. */
export function codeName(name: string): string {
  return name.startsWith('RegExp: ') ? REGEXP : name;
}

/** V8's sizes of an object with a few fields, and of the header of a one-byte string. */
const OBJECT_BYTES = 56;
const STRING_BYTES = 24;

/** The memory of a window: calculated, not measured. Functions share the URL of their script. */
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
