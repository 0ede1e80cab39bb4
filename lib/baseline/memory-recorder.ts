import { randomInt } from 'node:crypto';
import { ProcessMemory, SLOT_MS } from './process-memory.js';

/** The memory of a process at a moment, in bytes. */
export interface MemoryReading {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** What remained of the heap after a major collection; NaN between collections, when it includes garbage. */
  readonly heapUsed: number;
  readonly rss: number;
}

/** Ids are whole numbers that a 32-bit float holds exactly. */
const IDS = 2 ** 24;

/** Records the memory of this process by its age. */
export class MemoryRecorder {
  readonly memory = new ProcessMemory();
  private readonly id = randomInt(IDS);
  private slot = -1;
  private openedAt = 0;
  private counted = 0;
  private heap = Number.NaN;
  private rss = Number.NaN;

  /**
   * @param startedAt when the process started, in milliseconds since 1970
   * @param warmUpMs the time after it that is left out
   */
  constructor(
    private readonly startedAt: number,
    private readonly warmUpMs: number,
  ) {}

  /**
   * Adds a reading, up to a few a second.
   * @param executions returns those of all incoming operations so far; called once a slot
   * @returns whether a slot has ended and was recorded
   */
  add({ at, heapUsed, rss }: MemoryReading, executions: () => number): boolean {
    const slot = Math.floor((at - this.startedAt) / SLOT_MS);
    const isNew = slot > this.slot;
    const isRecorded = isNew && this.close(at, executions());
    if (isNew) {
      this.slot = slot;
      this.heap = this.rss = Number.NaN;
    }
    this.heap = lower(this.heap, heapUsed);
    this.rss = lower(this.rss, rss);
    return isRecorded;
  }

  private close(at: number, executions: number): boolean {
    const { slot, openedAt, heap, rss } = this;
    // The statistics may have been reset since.
    const count = executions < this.counted ? executions : executions - this.counted;
    this.openedAt = at;
    this.counted = executions;
    if (slot < 0 || slot * SLOT_MS < this.warmUpMs) return false;
    this.memory.add(this.id, this.startedAt, slot, { heap, rss }, (60_000 * count) / (at - openedAt));
    return !this.memory.isEmpty;
  }
}

function lower(one: number, other: number): number {
  return other > 0 && !(one <= other) ? other : one;
}
