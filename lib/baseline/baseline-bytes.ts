const CHUNK = 256;

/** Writes integers of variable length: 7 bits a byte, the lowest first, as LEB128. */
export class ByteWriter {
  private buffer = new Uint8Array(CHUNK);
  private length = 0;

  /** @param value a whole number, 0 to 2^53 */
  integer(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.byte((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    this.byte(rest);
  }

  /** All that was written. */
  bytes(): Uint8Array {
    return this.buffer.slice(0, this.length);
  }

  private byte(value: number): void {
    if (this.length === this.buffer.length) {
      const grown = new Uint8Array(this.length * 2);
      grown.set(this.buffer);
      this.buffer = grown;
    }
    this.buffer[this.length++] = value;
  }
}

/** Reads what a {@link ByteWriter} wrote. */
export class ByteReader {
  private at = 0;

  /** @param what is called in errors */
  constructor(
    private readonly bytes: Uint8Array,
    private readonly what: string,
  ) {}

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  /** @throws RangeError at the end, and above 2^53 */
  integer(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 56; scale *= 128) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new RangeError(`${this.what} ends within a number`);
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
    }
    throw new RangeError(`${this.what} holds a number above 2^53`);
  }
}
