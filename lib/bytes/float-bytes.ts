/** Floats are little-endian. */
const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** Serializes arrays: one byte with the version, then the numbers. The same array lengths always give the same size. */
export function floatsToBytes(version: number, arrays: readonly Float32Array[]): Uint8Array {
  const bytes = new Uint8Array(sizeOf(arrays));
  bytes[0] = version;
  const view = new DataView(bytes.buffer);
  let at = 1;
  for (const numbers of arrays)
    for (const number of numbers) {
      view.setFloat32(at, number, true);
      at += FLOAT;
    }
  return bytes;
}

/**
 * Fills the arrays with the numbers that {@link floatsToBytes} has serialized.
 * @param what the name of the data in an error
 * @throws RangeError for another version or length, and for numbers that are not finite
 */
export function bytesToFloats(
  bytes: Uint8Array,
  version: number,
  arrays: readonly Float32Array[],
  what: string,
): void {
  if (bytes[0] !== version)
    throw new RangeError(`${what} has format ${bytes[0] ?? 'none'}, expected ${version}`);
  const size = sizeOf(arrays);
  if (bytes.length !== size) throw new RangeError(`${what} has ${bytes.length} bytes, expected ${size}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 1;
  for (const numbers of arrays)
    for (let index = 0; index < numbers.length; index++) {
      const number = view.getFloat32(at, true);
      if (!Number.isFinite(number))
        throw new RangeError(`${what} contains ${number}, expected finite numbers`);
      numbers[index] = number;
      at += FLOAT;
    }
}

function sizeOf(arrays: readonly Float32Array[]): number {
  return 1 + arrays.reduce((sum, { length }) => sum + length, 0) * FLOAT;
}
