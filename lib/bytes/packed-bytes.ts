/**
 * Bytes as a string of as many characters, which takes 16 bytes beside them where an array takes 200: for what is held
 * of each of thousands of operations, and seldom needed.
 */
export type PackedBytes = string;

/** Packs the bytes behind any typed array. */
export function packBytes({ buffer, byteOffset, byteLength }: Uint8Array | Float32Array): PackedBytes {
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
}

/** The bytes in memory of their own, so that other arrays can be laid over them. */
export function unpackBytes(packed: PackedBytes): Uint8Array {
  const bytes = new Uint8Array(packed.length);
  Buffer.from(bytes.buffer).write(packed, 'latin1');
  return bytes;
}
