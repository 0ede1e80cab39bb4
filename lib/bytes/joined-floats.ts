/** All numbers of some arrays in one. */
export function joinFloats(arrays: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const numbers of arrays) {
    joined.set(numbers, at);
    at += numbers.length;
  }
  return joined;
}

/**
 * Fills arrays with the numbers of {@link joinFloats}. Faster for so few numbers than a view of each array.
 * @returns how many of the numbers were used
 */
export function splitFloats(joined: Float32Array, into: readonly Float32Array[]): number {
  let at = 0;
  for (const array of into)
    for (let index = 0; index < array.length; index++) array[index] = joined[at++] as number;
  return at;
}
