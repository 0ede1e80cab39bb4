/** An error in an input file, with its line. */
export class InputFault extends Error {
  constructor(
    /** One-based; undefined for errors of the whole file. */
    readonly line: number | undefined,
    readonly reason: string,
  ) {
    super(line === undefined ? reason : `line ${line}: ${reason}`);
  }
}
