/** Floats are little-endian. */
const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** The version in one byte, then the numbers of all arrays. */
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
 * Reads what {@link floatsToBytes} wrote into arrays of the same lengths.
 * @param what the name of the value in errors
 * @throws RangeError for another version, another length or a number that is not finite
 */
export function bytesToFloats(
  bytes: Uint8Array,
  version: number,
  arrays: readonly Float32Array[],
  what: string,
): void {
  if (bytes[0] !== version)
    throw new RangeError(`Invalid ${what}: received format ${bytes[0] ?? 'none'}, expected ${version}`);
  const size = sizeOf(arrays);
  if (bytes.length !== size)
    throw new RangeError(`Invalid ${what}: received ${bytes.length} bytes, expected ${size}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 1;
  for (const numbers of arrays)
    for (let index = 0; index < numbers.length; index++) {
      const number = view.getFloat32(at, true);
      if (!Number.isFinite(number))
        throw new RangeError(`Invalid ${what}: received ${number}, expected finite numbers`);
      numbers[index] = number;
      at += FLOAT;
    }
}

function sizeOf(arrays: readonly Float32Array[]): number {
  return 1 + arrays.reduce((sum, { length }) => sum + length, 0) * FLOAT;
}
