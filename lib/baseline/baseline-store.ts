import type { BaselineSnapshot, SnapshotToSave } from './baseline-snapshot.js';

/** Where snapshots are kept. No method rejects: each fault is logged once until it is over. */
export interface BaselineStore {
  /**
   * The snapshots of a service, of all instances and versions, without damaged ones.
   * @returns undefined if the store could not be read, which differs from an empty store
   */
  load(service: string): Promise<BaselineSnapshot[] | undefined>;
  /** Replaces the snapshot of its instance. @returns whether it is stored */
  save(snapshot: SnapshotToSave): Promise<boolean>;
  /** Removes an instance's snapshot. */
  remove(service: string, instance: string): Promise<void>;
}

/** The number of snapshots that are read, those written last. */
export const MAX_SNAPSHOTS = 1000;
/** The number of characters that are read in total. */
export const MAX_LOADED = 128 * 1024 * 1024;
