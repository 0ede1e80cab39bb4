import type { Readable, Writable } from 'node:stream';
import { printable } from '../text/printable.js';

/** What a command reads and writes: the process's own, or a test's. */
export interface Io {
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable;
}

/** How a command ended. A finding is no error: what runs in CI must be able to tell them apart. */
export const EXIT = { fine: 0, found: 1, failed: 2 } as const;

/** Writes one line on stderr. */
export function tell(io: Io, line: string): void {
  io.stderr.write(`${printable(line)}\n`);
}
