import { own } from '../../validation/own.js';
import { InputFault } from './input-fault.js';
import { JsonCapture } from './json-capture.js';

/**
 * The lists that are read element by element, by the names of the members that hold them:
 * `{ resourceSpans: { scopeSpans: { spans: {} } } }`. The elements of a list without an entry are read whole. A member may
 * also be an object that holds such lists; and the document may be a list of documents.
 */
export interface Lists {
  readonly [member: string]: Lists;
}

/** Receives what a document contains, in its order. `list` is the list that holds the object, empty at the top. */
export interface JsonListener {
  objectStart(list: string, line: number): void;
  /** A member that is not read element by element. */
  member(list: string, key: string, value: unknown, line: number): void;
  listStart(key: string, line: number): void;
  /** An element, or a value at the top, that is read whole. */
  element(list: string, value: unknown, line: number): void;
  objectEnd(list: string, line: number): void;
}

/** An object or array that is open and taken apart. */
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

/** Takes every object and array apart, to find the line of a fault. */
const ALL: Lists = Object.freeze({});

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const NEWLINE = 10;
const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [91, 93, 123, 125];

/**
 * Reads JSON values, one after the other, from bytes that come in pieces. It holds in memory only the value that it
 * reads whole at present, so that neither a long file nor a long list needs much. Linear in the number of bytes.
 */
export class JsonReader {
  private readonly frames: Frame[] = [];
  private readonly capture: JsonCapture;
  private next: number = VALUE;

  constructor(
    private readonly lists: Lists,
    private readonly listener: JsonListener,
    private line = 1,
  ) {
    this.capture = new JsonCapture(lists === ALL ? undefined : findFault);
  }

  /** @throws {InputFault} with the line of what is not JSON */
  push(chunk: Buffer): void {
    let at = 0;
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

  /** The input is over. @throws {InputFault} within a value */
  end(): void {
    const { capture, frames } = this;
    if (capture.active && frames.length === 0 && capture.end()) this.captured();
    const begun = frames[0]?.line ?? (capture.active ? capture.line : undefined);
    if (begun === undefined) return;
    const line = capture.active ? capture.lastLine : this.line;
    throw new InputFault(line, `the file ends within a value that began in line ${begun}`);
  }

  /** Takes one byte that is not white space. @returns false for the first byte of a value that is read whole */
  private structure(byte: number): boolean {
    const frame = this.frames.at(-1);
    switch (this.next) {
      case AFTER_KEY:
        if (byte !== COLON) throw this.unexpected("':'", byte);
        this.next = VALUE;
        return true;
      case FIRST_KEY:
      case KEY:
        if (byte === CLOSE_OBJECT && this.next === FIRST_KEY) return this.close();
        if (byte !== QUOTE) throw this.unexpected('a name in double quotes', byte);
        this.capture.begin(byte, this.line);
        return false;
      case AFTER_VALUE: {
        const end = frame?.array === true ? CLOSE_LIST : CLOSE_OBJECT;
        if (byte === end) return this.close();
        if (byte !== COMMA) throw this.unexpected(`',' or '${String.fromCharCode(end)}'`, byte);
        this.next = end === CLOSE_LIST ? VALUE : KEY;
        return true;
      }
      default:
        if (byte === CLOSE_LIST && this.next === FIRST_ELEMENT) return this.close();
        // Between documents: files may be concatenated.
        if (frame === undefined && BYTE_ORDER_MARK.includes(byte)) return true;
        return this.value(byte, frame);
    }
  }

  /** Starts a value. @returns whether it is taken apart */
  private value(byte: number, frame: Frame | undefined): boolean {
    if (byte === COMMA || byte === COLON || byte === CLOSE_LIST || byte === CLOSE_OBJECT)
      throw this.unexpected('a value', byte);
    const lists = this.listsWithin(byte, frame);
    if (lists === undefined) {
      this.capture.begin(byte, this.line);
      return false;
    }
    const array = byte === OPEN_LIST;
    const list = (array || frame?.array === false ? frame?.key : frame?.list) ?? '';
    this.frames.push({ array, list, lists, line: this.line, key: '' });
    this.next = array ? FIRST_ELEMENT : FIRST_KEY;
    if (array) this.listener.listStart(list, this.line);
    else this.listener.objectStart(list, this.line);
    return true;
  }

  /** The lists within a value that starts with this byte; nothing where it is read whole. */
  private listsWithin(byte: number, frame: Frame | undefined): Lists | undefined {
    if (byte !== OPEN_OBJECT && byte !== OPEN_LIST) return undefined;
    if (this.lists === ALL) return ALL;
    if (frame === undefined) return this.lists;
    if (!frame.array) {
      const lists = own(frame.lists, frame.key);
      return byte === OPEN_LIST || hasEntries(lists) ? lists : undefined;
    }
    return byte === OPEN_OBJECT && hasEntries(frame.lists) ? frame.lists : undefined;
  }

  private close(): true {
    const frame = this.frames.pop() as Frame;
    this.next = this.frames.length === 0 ? VALUE : AFTER_VALUE;
    if (!frame.array) this.listener.objectEnd(frame.list, this.line);
    return true;
  }

  /** A key, a member or an element has been read whole. */
  private captured(): void {
    const { value, line, lastLine } = this.capture;
    this.line = lastLine;
    const frame = this.frames.at(-1);
    if (frame !== undefined && (this.next === KEY || this.next === FIRST_KEY)) {
      frame.key = value as string;
      this.next = AFTER_KEY;
      return;
    }
    this.next = frame === undefined ? VALUE : AFTER_VALUE;
    if (frame === undefined || frame.array) this.listener.element(frame?.list ?? '', value, line);
    else this.listener.member(frame.list, frame.key, value, line);
  }

  private unexpected(expected: string, byte: number): InputFault {
    const found =
      byte > 32 && byte < 127
        ? `'${String.fromCharCode(byte)}'`
        : `byte 0x${byte.toString(16).padStart(2, '0')}`;
    return new InputFault(this.line, `Expected ${expected}, found ${found}`);
  }
}

function hasEntries(lists: Lists | undefined): boolean {
  return lists !== undefined && Object.keys(lists).length > 0;
}

const SILENT: JsonListener = {
  objectStart() {},
  member() {},
  listStart() {},
  element() {},
  objectEnd() {},
};

/** Finds the fault in a value that `JSON.parse` rejects, since its messages give a position for some faults only. */
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
