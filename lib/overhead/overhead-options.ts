import { number } from '../validation/checks.js';
import type { Complete } from '../validation/complete.js';
import { type OptionTable, option } from '../validation/option-table.js';

/** What this package itself may cost. Beyond it, parts pause, and come back when there is room. Counting never pauses. */
export interface OverheadOptions {
  /** The CPU time of this package within the window, in percent of one core. */
  maxCpuPercent?: number | undefined;
  /** Megabytes that this package may hold in all its buffers and tables. */
  maxMemoryMb?: number | undefined;
  /** The seconds over which the CPU time is measured. At most one part pauses or comes back within them. */
  windowSeconds?: number | undefined;
}
export type ResolvedOverheadOptions = Complete<OverheadOptions>;

export const OVERHEAD_OPTIONS: OptionTable<OverheadOptions> = {
  maxCpuPercent: option(number(0.01, 100), { default: 3 }),
  maxMemoryMb: option(number(0.1, 10_000), { default: 64 }),
  windowSeconds: option(number(2, 600), { default: 60 }),
};
