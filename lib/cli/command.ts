import type { Readable, Writable } from 'node:stream';
import { printable } from '../text/printable.js';
import type { CommandInput, OptionSpecs } from './options.js';

/** A subcommand with its help. */
export interface Command {
  /** `analyze FILE…` */
  readonly usage: string;
  /** Its purpose, arguments and exit codes. */
  readonly description: string;
  readonly options: OptionSpecs;
  /** @returns the exit code */
  run(input: CommandInput, io: Io): Promise<number>;
}

/** The streams of a command: those of the process or of a test. */
export interface Io {
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable;
}

/** Exit codes, so that CI can distinguish findings from errors. */
export const EXIT = { fine: 0, found: 1, failed: 2 } as const;

/** Writes one line to stderr. */
export function logLine(io: Io, line: string): void {
  io.stderr.write(`${printable(line)}\n`);
}
