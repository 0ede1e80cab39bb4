import { own } from '../../validation/own.js';
import { InputFault } from './input-fault.js';
import { JsonCapture } from './json-capture.js';

/**
 * The lists that are read element by element, by the names of the members that hold them:
 * `{ resourceSpans: { scopeSpans: { spans: {} } } }`. The elements of a list without an entry are read whole.
 */
export interface Lists {
  readonly [member: string]: Lists;
}

/** Is told what is in a document, in its order. `list` is the list that the object is an element of, or empty. */
export interface JsonListener {
  objectStart(list: string, line: number): void;
  /** A member that is no list to be read by its elements. */
  member(list: string, key: string, value: unknown, line: number): void;
  listStart(key: string, line: number): void;
  /** An element, or a value at the top, that is read whole. */
  element(list: string, value: unknown, line: number): void;
  objectEnd(list: string, line: number): void;
}

/** Where the reader is: within an object or an array that it takes apart. */
interface Frame {
  readonly array: boolean;
  readonly list: string;
  readonly lists: Lists;
  readonly line: number;
  key: string;
}

/** What comes next. */
const VALUE = 0;
const FIRST_ELEMENT = 1;
const FIRST_KEY = 2;
const KEY = 3;
const AFTER_KEY = 4;
const AFTER_VALUE = 5;

/** Takes every object and array apart: to find the line of a fault. */
const ALL: Lists = Object.freeze({});

const BOM = [0xef, 0xbb, 0xbf];
const NEWLINE = 10;
const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [91, 93, 123, 125];

/**
 * Reads JSON values, one after the other, from bytes that come in pieces. Only what is read whole is held in memory,
 * so that neither a long file nor a long list needs much. Linear in the number of bytes.
 */
export class JsonReader {
  private readonly frames: Frame[] = [];
  private readonly capture: JsonCapture;
  private at: number = VALUE;
  private line: number;
  private bom = 0;

  /** @param lists what is taken apart; values at the top are read whole where there is nothing of it */
  constructor(
    private readonly lists: Lists | undefined,
    private readonly listener: JsonListener,
    firstLine = 1,
  ) {
    this.line = firstLine;
    this.capture = new JsonCapture(lists === ALL ? undefined : findFault);
  }

  push(chunk: Buffer): void {
    let at = this.bom < BOM.length ? this.skipBom(chunk) : 0;
    while (at < chunk.length) {
      if (this.capture.active) {
        at = this.capture.push(chunk, at);
        if (!this.capture.active) this.captured();
        continue;
      }
      const byte = chunk[at] as number;
      if (byte === NEWLINE) this.line++;
      if (byte === 32 || byte === NEWLINE || byte === 9 || byte === 13) at++;
      else if (this.structure(byte)) at++;
    }
  }

  /** The input is over. */
  end(): void {
    if (this.capture.active && this.frames.length === 0 && this.capture.end()) this.captured();
    const begun = this.frames[0]?.line ?? (this.capture.active ? this.capture.line : undefined);
    if (begun === undefined) return;
    const line = this.capture.active ? this.capture.lastLine : this.line;
    throw new InputFault(line, `the file ends within a value that began in line ${begun}`);
  }

  /** Takes one byte that is no space. @returns false when it is the first of a value, which is yet to be read. */
  private structure(byte: number): boolean {
    const frame = this.frames.at(-1);
    switch (this.at) {
      case AFTER_KEY:
        if (byte !== COLON) throw this.unexpected("':'", byte);
        this.at = VALUE;
        return true;
      case FIRST_KEY:
      case KEY:
        if (byte === CLOSE_OBJECT && this.at === FIRST_KEY) return this.close();
        if (byte !== QUOTE) throw this.unexpected('a name in double quotes', byte);
        this.capture.begin(byte, this.line);
        return false;
      case AFTER_VALUE:
        if (frame?.array === true) {
          if (byte === CLOSE_LIST) return this.close();
          if (byte !== COMMA) throw this.unexpected("',' or ']'", byte);
          this.at = VALUE;
        } else {
          if (byte === CLOSE_OBJECT) return this.close();
          if (byte !== COMMA) throw this.unexpected("',' or '}'", byte);
          this.at = KEY;
        }
        return true;
      default:
        if (byte === CLOSE_LIST && this.at === FIRST_ELEMENT) return this.close();
        return this.value(byte, frame);
    }
  }

  /** A value begins. @returns whether it is one that is taken apart. */
  private value(byte: number, frame: Frame | undefined): boolean {
    if (byte === COMMA || byte === COLON || byte === CLOSE_LIST || byte === CLOSE_OBJECT)
      throw this.unexpected('a value', byte);
    const lists = this.inner(byte, frame);
    if (lists === undefined) {
      this.capture.begin(byte, this.line);
      return false;
    }
    const array = byte === OPEN_LIST;
    const list = array ? (frame?.key ?? '') : (frame?.list ?? '');
    this.frames.push({ array, list, lists, line: this.line, key: '' });
    this.at = array ? FIRST_ELEMENT : FIRST_KEY;
    if (array) this.listener.listStart(list, this.line);
    else this.listener.objectStart(list, this.line);
    return true;
  }

  /** The lists within a value that begins so, when it is to be taken apart. */
  private inner(byte: number, frame: Frame | undefined): Lists | undefined {
    if (byte !== OPEN_OBJECT && byte !== OPEN_LIST) return undefined;
    if (this.lists === ALL) return ALL;
    if (byte === OPEN_LIST) {
      return frame === undefined || frame.array ? undefined : own(frame.lists, frame.key);
    }
    if (frame === undefined) return this.lists;
    return frame.array && Object.keys(frame.lists).length > 0 ? frame.lists : undefined;
  }

  private close(): true {
    const frame = this.frames.pop() as Frame;
    this.at = this.frames.length === 0 ? VALUE : AFTER_VALUE;
    if (!frame.array) this.listener.objectEnd(frame.list, this.line);
    return true;
  }

  /** What was read whole is complete: a key, a member, an element. */
  private captured(): void {
    const { value, line, lastLine } = this.capture;
    this.line = lastLine;
    const frame = this.frames.at(-1);
    if (this.at === KEY || this.at === FIRST_KEY) {
      (frame as Frame).key = value as string;
      this.at = AFTER_KEY;
      return;
    }
    this.at = frame === undefined ? VALUE : AFTER_VALUE;
    if (frame === undefined || frame.array) this.listener.element(frame?.list ?? '', value, line);
    else this.listener.member(frame.list, frame.key, value, line);
  }

  private skipBom(chunk: Buffer): number {
    let at = 0;
    while (at < chunk.length && this.bom < BOM.length && chunk[at] === BOM[this.bom]) {
      at++;
      this.bom++;
    }
    if (at < chunk.length) this.bom = BOM.length;
    return at;
  }

  private unexpected(expected: string, byte: number): InputFault {
    const found =
      byte > 32 && byte < 127
        ? `'${String.fromCharCode(byte)}'`
        : `byte 0x${byte.toString(16).padStart(2, '0')}`;
    return new InputFault(this.line, `Expected ${expected}, found ${found}`);
  }
}

const SILENT: JsonListener = {
  objectStart() {},
  member() {},
  listStart() {},
  element() {},
  objectEnd() {},
};

/** Finds the fault in a value that `JSON.parse` has refused, whose messages give a place for some faults only. */
function findFault(text: string, line: number): InputFault | undefined {
  try {
    const reader = new JsonReader(ALL, SILENT, line);
    reader.push(Buffer.from(text));
    reader.end();
    return undefined;
  } catch (error) {
    return error instanceof InputFault ? error : undefined;
  }
}
