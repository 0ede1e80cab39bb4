import { InputFault } from './input-fault.js';

/** Longer than any span is. What is longer would have to be held in memory as a whole. */
const MAX_BYTES = 64 * 1024 * 1024;

const NEWLINE = 10;
const QUOTE = 34;
const BACKSLASH = 92;

const CONTAINER = 0;
const TEXT = 1;
const SCALAR = 2;

/** Bytes by which a number, `true`, `false` or `null` ends: white space, and what has a meaning between values. */
const ENDS = new Uint8Array(256);
for (const byte of [9, 10, 13, 32, QUOTE, 44, 58, 91, 93, 123, 125]) ENDS[byte] = 1;

/** Reads one JSON value whole, from bytes that come in pieces. */
export class JsonCapture {
  active = false;
  /** What was read. */
  value: unknown;
  /** Where it begins and where it ends. */
  line = 0;
  lastLine = 0;
  private kind: number = SCALAR;
  private depth = 0;
  private quoted = false;
  private escaped = false;
  private pieces: Buffer[] = [];
  private size = 0;

  /** @param findFault tells what is wrong with a text, and in which line, given the line that it begins in */
  constructor(
    private readonly findFault: ((text: string, line: number) => InputFault | undefined) | undefined,
  ) {}

  /** A value begins with this byte, which is yet to be pushed. */
  begin(byte: number, line: number): void {
    this.active = true;
    this.line = line;
    this.lastLine = line;
    this.kind = byte === QUOTE ? TEXT : byte === 91 || byte === 123 ? CONTAINER : SCALAR;
    this.depth = 0;
    this.quoted = false;
    this.escaped = false;
  }

  /** Takes what belongs to the value. @returns where it ends; `active` tells whether it may go on in the next piece. */
  push(chunk: Buffer, from: number): number {
    const to = this.kind === SCALAR ? scalarEnd(chunk, from) : this.closingEnd(chunk, from);
    if (to < 0) {
      // A copy: the piece may be a part of a buffer that is used again.
      this.pieces.push(Buffer.from(chunk.subarray(from)));
      this.size += chunk.length - from;
      if (this.size > MAX_BYTES)
        throw new InputFault(this.line, `a value of more than ${MAX_BYTES / 1024 / 1024} MB begins here`);
      return chunk.length;
    }
    this.finish(this.text(chunk, from, to));
    return to;
  }

  /** The input is over. @returns whether the value is complete. */
  end(): boolean {
    if (this.kind !== SCALAR) return false;
    this.finish(this.text(Buffer.alloc(0), 0, 0));
    return true;
  }

  private text(chunk: Buffer, from: number, to: number): string {
    if (this.pieces.length === 0) return chunk.toString('utf8', from, to);
    const text = Buffer.concat([...this.pieces, chunk.subarray(from, to)]).toString('utf8');
    this.pieces = [];
    this.size = 0;
    return text;
  }

  private finish(text: string): void {
    this.active = false;
    try {
      this.value = JSON.parse(text);
    } catch {
      const found = this.kind === CONTAINER ? this.findFault?.(text, this.line) : undefined;
      throw found ?? new InputFault(this.line, reasonOf(this.kind, text));
    }
  }

  /** Where the string, object or array ends, or -1 where it does not end in this piece. */
  private closingEnd(chunk: Buffer, from: number): number {
    const { length } = chunk;
    let { depth } = this;
    let at = from;
    while (at < length) {
      if (this.quoted) {
        at = this.stringEnd(chunk, at);
        if (at < 0) break;
        if (depth === 0) return at;
      }
      let byte = 0;
      while (at < length) {
        byte = chunk[at++] as number;
        if (byte === QUOTE || (byte | 32) === 123 || (byte | 32) === 125) break;
        if (byte === NEWLINE) this.lastLine++;
      }
      if (byte === QUOTE) this.quoted = true;
      else if ((byte | 32) === 123) depth++;
      else if ((byte | 32) === 125 && --depth === 0) return at;
    }
    this.depth = depth;
    return -1;
  }

  /** Where the string ends that `at` is within. */
  private stringEnd(chunk: Buffer, from: number): number {
    const { length } = chunk;
    let at = from;
    if (this.escaped && at < length) {
      this.escaped = false;
      at++;
    }
    while (at < length) {
      const byte = chunk[at++] as number;
      if (byte === QUOTE) {
        this.quoted = false;
        return at;
      }
      if (byte === BACKSLASH) {
        if (at < length) at++;
        else this.escaped = true;
      } else if (byte < 32) {
        // Mostly a string whose end is missing: what follows would be read the wrong way round.
        throw new InputFault(
          this.lastLine,
          `Expected '"', found byte 0x${byte.toString(16).padStart(2, '0')} in a string`,
        );
      }
    }
    return -1;
  }
}

function scalarEnd(chunk: Buffer, from: number): number {
  for (let at = from; at < chunk.length; at++) if (ENDS[chunk[at] as number] === 1) return at;
  return -1;
}

function reasonOf(kind: number, text: string): string {
  const short = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  if (kind === SCALAR) return `Expected a value, found ${JSON.stringify(short)}`;
  return kind === TEXT ? `Bad escaped character in the string ${short}` : 'This is not JSON';
}
