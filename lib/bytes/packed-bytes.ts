/**
 * Bytes as a string with one character per byte. A string costs 16 bytes beside its characters, a typed array 200, which
 * matters for values that thousands of operations hold and seldom read.
 */
export type PackedBytes = string;

/** Packs the bytes of any typed array. */
export function packBytes({ buffer, byteOffset, byteLength }: Uint8Array | Float32Array): PackedBytes {
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
}

/** The bytes in memory of their own, so that typed arrays can use the buffer. */
export function unpackBytes(packed: PackedBytes): Uint8Array {
  const bytes = new Uint8Array(packed.length);
  Buffer.from(bytes.buffer).write(packed, 'latin1');
  return bytes;
}
