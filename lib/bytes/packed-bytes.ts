/**
 * Bytes as a string of as many characters. It has an overhead of 16 bytes, a typed array has 200: for rarely used data
 * of each of thousands of operations.
 */
export type PackedBytes = string;

/** Packs the bytes of any typed array. */
export function packBytes({ buffer, byteOffset, byteLength }: Uint8Array | Float32Array): PackedBytes {
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
}

/** The bytes in a new buffer, on which other typed arrays can be created. */
export function unpackBytes(packed: PackedBytes): Uint8Array {
  const bytes = new Uint8Array(packed.length);
  Buffer.from(bytes.buffer).write(packed, 'latin1');
  return bytes;
}
