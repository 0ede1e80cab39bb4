import type { Io } from './io.js';
import type { CommandInput, OptionSpecs } from './options.js';

/** A subcommand: what `--help` says of it, and what it does. */
export interface Command {
  /** `analyze FILE…` */
  readonly usage: string;
  /** What it does, its files, and its exit codes: some lines. */
  readonly description: string;
  readonly options: OptionSpecs;
  /** @returns the exit code. */
  run(input: CommandInput, io: Io): Promise<number>;
}
