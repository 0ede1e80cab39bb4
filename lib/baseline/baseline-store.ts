import type { BaselineSnapshot, SnapshotToSave } from './baseline-snapshot.js';

/** Where snapshots are kept. Nothing of it rejects: what cannot be done is warned of, once until it can be done again. */
export interface BaselineStore {
  /**
   * The snapshots of a service, of all instances and versions. Those that are damaged are left out.
   * @returns nothing where the store could not be read, which is not the same as an empty one
   */
  load(service: string): Promise<BaselineSnapshot[] | undefined>;
  /** Writes a snapshot in place of the one that its instance has. @returns whether it is kept */
  save(snapshot: SnapshotToSave): Promise<boolean>;
  /** Removes an instance's snapshot. */
  remove(service: string, instance: string): Promise<void>;
}

/** Snapshots that are read: of those beyond it the ones written last. */
export const MAX_SNAPSHOTS = 1000;
/** Characters of all snapshots that are read together. */
export const MAX_LOADED = 128 * 1024 * 1024;

/** Warns of one fault once, and again after it was over. */
export class FaultLog {
  private readonly told = new Set<string>();

  constructor(private readonly warn: (message: string) => void) {}

  /** @param key what failed; of more than 100 nothing is told */
  fail(key: string, message: string): void {
    if (this.told.has(key) || this.told.size >= 100) return;
    this.told.add(key);
    this.warn(message);
  }

  succeed(key: string): void {
    this.told.delete(key);
  }
}

/** Node's message, or whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
