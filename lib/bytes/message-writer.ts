import { ByteWriter } from './byte-buffers.js';

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;
const encoder = new TextEncoder();

/** Longer texts are written by Node.js, which costs more to call and less for each character. */
const SHORT_TEXT = 64;
/** The value of each hexadecimal digit, by its character code. */
const DIGITS = Uint8Array.from({ length: 128 }, (_, code) =>
  Math.max(0, '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase())),
);

/**
 * Writes messages of Protocol Buffers in place: those within others make no objects, unlike with `ProtobufWriter`. Fields
 * are written with their default values, too.
 */
export class MessageWriter extends ByteWriter {
  /** Starts a message within the current one. @returns what {@link end} needs */
  begin(field: number): number {
    this.tag(field, LENGTH_DELIMITED);
    // Nearly all messages are shorter than 128 bytes: their length takes one.
    this.byte(0);
    return this.length;
  }

  /** Ends a message. */
  end(start: number): void {
    const size = this.length - start;
    if (size < 128) {
      this.buffer[start - 1] = size;
      return;
    }
    const more = size < 2 ** 14 ? 1 : size < 2 ** 21 ? 2 : size < 2 ** 28 ? 3 : 4;
    this.reserve(more);
    this.buffer.copyWithin(start + more, start, this.length);
    this.length = start - 1;
    this.varint(size);
    this.length += size;
  }

  /** int64, uint32, an enumeration or a boolean. @param value a whole number, -2^63 to 2^63 */
  whole(field: number, value: number): void {
    this.tag(field, VARINT);
    if (value >= 0) this.varint(value);
    else this.long(BigInt(value));
  }

  double(field: number, value: number): void {
    this.tag(field, FIXED64);
    this.reserve(8);
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  fixed32(field: number, value: number): void {
    this.tag(field, FIXED32);
    this.reserve(4);
    this.view.setUint32(this.length, value, true);
    this.length += 4;
  }

  /** Nanoseconds, as fixed64. @param seconds a whole number since 1970, at most 2^32 */
  time(field: number, seconds: number, nanoseconds: number): void {
    this.tag(field, FIXED64);
    this.reserve(8);
    // Nanoseconds since 1970 exceed the precision of a number: a second has 1,953,125 times 2^9 of them.
    const units = seconds * 1_953_125;
    const high = Math.floor(units / 2 ** 23);
    const low = (units - high * 2 ** 23) * 2 ** 9 + nanoseconds;
    this.view.setUint32(this.length, low % 2 ** 32, true);
    this.view.setUint32(this.length + 4, high + Math.floor(low / 2 ** 32), true);
    this.length += 8;
  }

  string(field: number, value: string): void {
    this.tag(field, LENGTH_DELIMITED);
    const { length } = value;
    if (length > SHORT_TEXT || !this.ascii(value)) this.utf8(value);
  }

  /** Bytes that are given as hexadecimal digits. */
  hex(field: number, digits: string): void {
    this.tag(field, LENGTH_DELIMITED);
    const size = digits.length >>> 1;
    this.varint(size);
    this.reserve(size);
    const { buffer } = this;
    for (let index = 0; index < 2 * size; index += 2)
      buffer[this.length++] = digit(digits, index) * 16 + digit(digits, index + 1);
  }

  private tag(field: number, type: number): void {
    this.varint(field * 8 + type);
  }

  /** @returns whether it was written: only if it has no other characters */
  private ascii(value: string): boolean {
    const { length } = value;
    this.reserve(length + 1);
    const { buffer } = this;
    const start = this.length;
    buffer[start] = length;
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (code > 127) return false;
      buffer[start + 1 + index] = code;
    }
    this.length = start + 1 + length;
    return true;
  }

  private utf8(value: string): void {
    const bytes = encoder.encode(value);
    this.varint(bytes.length);
    this.append(bytes);
  }
}

function digit(digits: string, index: number): number {
  return DIGITS[digits.charCodeAt(index)] ?? 0;
}
