/** Thrown if a version was asked for that has no data. The message names those that have. */
export class UnknownVersionError extends Error {
  override readonly name = 'UnknownVersionError';
}
