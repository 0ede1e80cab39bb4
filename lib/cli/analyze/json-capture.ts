import { InputFault } from './input-fault.js';

/** Larger than any span. The value being read is held in memory as a whole. */
const MAX_BYTES = 64 * 1024 * 1024;

const NEWLINE = 10;
const QUOTE = 34;
const BACKSLASH = 92;
/** `{` and `[`, `}` and `]` differ in this bit alone. */
const BRACE_BIT = 32;
const OPEN = 123;
const CLOSE = 125;

/** Bytes that end a number, `true`, `false` or `null`: white space, and what has a meaning between values. */
const ENDS = new Uint8Array(256);
for (const byte of [9, NEWLINE, 13, 32, QUOTE, 44, 58, 91, 93, OPEN, CLOSE]) ENDS[byte] = 1;

/** Reads one JSON value whole, from bytes that come in pieces. */
export class JsonCapture {
  active = false;
  /** The value that was read last. */
  value: unknown;
  /** The lines it starts and ends in. */
  line = 0;
  lastLine = 0;
  private scalar = false;
  private depth = 0;
  private quoted = false;
  private escaped = false;
  private pieces: Buffer[] = [];
  private size = 0;

  /** @param findFault finds what is wrong with the text of an object or array that starts in this line */
  constructor(
    private readonly findFault: ((text: string, line: number) => InputFault | undefined) | undefined,
  ) {}

  /** Starts a value with its first byte, which is yet to be pushed. */
  begin(byte: number, line: number): void {
    this.active = true;
    this.line = line;
    this.lastLine = line;
    this.scalar = byte !== QUOTE && (byte | BRACE_BIT) !== OPEN;
    this.depth = 0;
    this.quoted = false;
    this.escaped = false;
  }

  /** Takes the bytes of the value. @returns the position after them; `active` is false once the value is complete. */
  push(chunk: Buffer, from: number): number {
    const end = this.scalar ? scalarEnd(chunk, from) : this.closingEnd(chunk, from);
    if (end !== undefined) {
      this.finish(
        this.pieces.length === 0
          ? chunk.toString('utf8', from, end)
          : Buffer.concat([...this.pieces, chunk.subarray(from, end)]).toString(),
      );
      return end;
    }
    // A copy: the caller may reuse its buffer.
    this.pieces.push(Buffer.from(chunk.subarray(from)));
    this.size += chunk.length - from;
    if (this.size > MAX_BYTES)
      throw new InputFault(this.line, `a value of more than ${MAX_BYTES / 1024 / 1024} MB begins here`);
    return chunk.length;
  }

  /** The input is over. @returns whether the value is complete: only the end of a scalar is not marked */
  end(): boolean {
    if (this.scalar) this.finish(Buffer.concat(this.pieces).toString());
    return this.scalar;
  }

  private finish(text: string): void {
    this.active = false;
    this.pieces = [];
    this.size = 0;
    try {
      this.value = JSON.parse(text);
    } catch {
      throw this.faultOf(text);
    }
  }

  private faultOf(text: string): InputFault {
    const short = text.length > 40 ? `${text.slice(0, 40)}…` : text;
    if (this.scalar) return new InputFault(this.line, `Expected a value, found ${JSON.stringify(short)}`);
    if (text.startsWith('"'))
      return new InputFault(this.line, `Bad escaped character in the string ${short}`);
    return this.findFault?.(text, this.line) ?? new InputFault(this.line, 'This is not JSON');
  }

  /** Where the string, object or array ends, if it does within this piece. */
  private closingEnd(chunk: Buffer, from: number): number | undefined {
    let { depth, quoted, escaped } = this;
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (quoted) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) {
          quoted = false;
          if (depth === 0) return at + 1;
        }
        // Mostly a string that is not closed: strings and structure would be taken for each other from here on.
        else if (byte < 32) throw this.controlCharacter(byte);
      } else if (byte === QUOTE) quoted = true;
      else if ((byte | BRACE_BIT) === OPEN) depth++;
      else if ((byte | BRACE_BIT) === CLOSE) {
        if (--depth === 0) return at + 1;
      } else if (byte === NEWLINE) this.lastLine++;
    }
    this.depth = depth;
    this.quoted = quoted;
    this.escaped = escaped;
    return undefined;
  }

  private controlCharacter(byte: number): InputFault {
    const hex = byte.toString(16).padStart(2, '0');
    return new InputFault(this.lastLine, `Expected '"', found byte 0x${hex} in a string`);
  }
}

function scalarEnd(chunk: Buffer, from: number): number | undefined {
  for (let at = from; at < chunk.length; at++) if (ENDS[chunk[at] as number] === 1) return at;
  return undefined;
}
