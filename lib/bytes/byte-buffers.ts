const INITIAL_BYTES = 256;
// Of the bytes of a number: a view of the bytes of each reader would cost more than to read them.
const copied = new DataView(new ArrayBuffer(8));

/** Writes variable-length integers (LEB128: 7 bits a byte, the lowest first) and floats into a buffer that grows. */
export class ByteWriter {
  protected buffer: Uint8Array<ArrayBuffer>;
  protected view: DataView;
  protected length = 0;

  /** @param size bytes that fit before it grows */
  constructor(size = INITIAL_BYTES) {
    this.buffer = new Uint8Array(size);
    this.view = new DataView(this.buffer.buffer);
  }

  /** @param value a whole number, 0 to 2^53 */
  varint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.byte((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    this.byte(rest);
  }

  /** Like {@link varint}, by its two's complement of 64 bits. @param value -2^63 to 2^64 */
  long(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    for (; rest >= 128n; rest >>= 7n) this.byte(Number(rest & 127n) | 128);
    this.byte(Number(rest));
  }

  float32(value: number): void {
    this.reserve(4);
    this.view.setFloat32(this.length, value);
    this.length += 4;
  }

  float64(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.length, value);
    this.length += 8;
  }

  /** Appends bytes as they are. */
  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Everything written, as a view that the next write may change. */
  get written(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  /** A copy of everything written. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.buffer.slice(0, this.length);
  }

  /** Empties the writer and keeps its memory. */
  clear(): void {
    this.length = 0;
  }

  protected byte(value: number): void {
    if (this.length === this.buffer.length) this.reserve(1);
    this.buffer[this.length++] = value;
  }

  protected reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(this.buffer.length * 2, needed));
    grown.set(this.buffer);
    this.buffer = grown;
    this.view = new DataView(grown.buffer);
  }
}

/** Reads what a {@link ByteWriter} wrote. */
export class ByteReader {
  /** The index of the next byte. */
  position = 0;

  /** @param name what errors call the bytes */
  constructor(
    private readonly bytes: Uint8Array,
    private readonly name: string,
  ) {}

  get isAtEnd(): boolean {
    return this.position >= this.bytes.length;
  }

  /** @throws RangeError at the end of the bytes, and for a number above 2^53 */
  varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 56; scale *= 128) {
      const byte = this.bytes[this.position++];
      if (byte === undefined) throw new RangeError(`Invalid ${this.name}: it ends within a number`);
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
    }
    throw new RangeError(`Invalid ${this.name}: received a number above 2^53`);
  }

  float32(): number {
    this.copy(4);
    return copied.getFloat32(0);
  }

  float64(): number {
    this.copy(8);
    return copied.getFloat64(0);
  }

  private copy(size: number): void {
    const { bytes, position } = this;
    this.position += size;
    if (this.position > bytes.length) throw new RangeError(`Invalid ${this.name}: it ends within a number`);
    for (let index = 0; index < size; index++) copied.setUint8(index, bytes[position + index] as number);
  }
}
