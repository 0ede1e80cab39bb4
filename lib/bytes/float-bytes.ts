/** Floats are written with the lowest byte first. */
const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** A version, then the numbers of all arrays: always as many bytes for the same arrays. */
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
 * Reads into the arrays what {@link floatsToBytes} made of such ones.
 * @param what how it is called in an error
 * @throws RangeError for bytes of another version, of another length, or with numbers that are none
 */
export function bytesToFloats(
  bytes: Uint8Array,
  version: number,
  arrays: readonly Float32Array[],
  what: string,
): void {
  if (bytes[0] !== version)
    throw new RangeError(`${what} has format ${bytes[0] ?? 'none'}: only ${version} is known`);
  const size = sizeOf(arrays);
  if (bytes.length !== size) throw new RangeError(`${what} has ${bytes.length} bytes: it must have ${size}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 1;
  for (const numbers of arrays)
    for (let index = 0; index < numbers.length; index++) {
      const number = view.getFloat32(at, true);
      if (!Number.isFinite(number)) throw new RangeError(`${what} holds ${number}: numbers must be finite`);
      numbers[index] = number;
      at += FLOAT;
    }
}

function sizeOf(arrays: readonly Float32Array[]): number {
  return 1 + arrays.reduce((sum, { length }) => sum + length, 0) * FLOAT;
}
