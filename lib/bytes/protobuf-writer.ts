import { ByteWriter } from './byte-buffers.js';

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const text = new TextEncoder();

/**
 * Writes a message of Protocol Buffers, field by field. Fields with the default value of proto3 (0, '' and no items) are left
 * out, but not messages that are empty: an item of a list has a place even then.
 */
export class ProtobufWriter {
  private readonly writer = new ByteWriter();

  /** int32, int64, uint32 or uint64. @param value a whole number, 0 to 2^53 */
  whole(field: number, value: number): this {
    if (value === 0) return this;
    this.tag(field, VARINT);
    this.writer.varint(value);
    return this;
  }

  /** int64 or uint64. */
  long(field: number, value: bigint): this {
    if (value === 0n) return this;
    this.tag(field, VARINT);
    this.writer.long(value);
    return this;
  }

  fixed64(field: number, value: bigint): this {
    if (value === 0n) return this;
    this.tag(field, FIXED64);
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value, true);
    this.writer.append(bytes);
    return this;
  }

  string(field: number, value: string): this {
    return value === '' ? this : this.item(field, text.encode(value));
  }

  bytes(field: number, value: Uint8Array): this {
    return value.length === 0 ? this : this.item(field, value);
  }

  /** A list of whole numbers. */
  packed(field: number, values: readonly number[]): this {
    if (values.length === 0) return this;
    const packed = new ByteWriter();
    for (const value of values) packed.varint(value);
    return this.item(field, packed.written);
  }

  message(field: number, message: ProtobufWriter): this {
    return this.item(field, message.writer.written);
  }

  /** An item of a list of strings, also if it is empty. */
  listed(field: number, value: string): this {
    return this.item(field, text.encode(value));
  }

  /** A copy of everything written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.writer.bytes();
  }

  private item(field: number, bytes: Uint8Array): this {
    this.tag(field, LENGTH_DELIMITED);
    this.writer.varint(bytes.length);
    this.writer.append(bytes);
    return this;
  }

  private tag(field: number, type: number): void {
    this.writer.varint(field * 8 + type);
  }
}
