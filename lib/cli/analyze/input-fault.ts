/** What is wrong with a file, and in which line. */
export class InputFault extends Error {
  constructor(
    /** From 1 on; nothing where it concerns the file as a whole. */
    readonly line: number | undefined,
    readonly reason: string,
  ) {
    super(line === undefined ? reason : `line ${line}: ${reason}`);
  }
}
