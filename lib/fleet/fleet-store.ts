/** The texts that instances of one service have published. Nothing in them has been checked. */
export interface Published {
  readonly summaries: readonly { readonly key: string; readonly text: unknown }[];
  /** Instances beyond {@link MAX_INSTANCES}. */
  readonly omitted: number;
}

/** Where the instances of one service publish. Each method may reject, and may take forever. */
export interface FleetStore {
  /** Replaces the summary of an instance. */
  publish(key: string, text: string): Promise<void>;
  /** Removes the summary of an instance. */
  withdraw(key: string): Promise<void>;
  /** The summaries of all instances, those published last first. */
  published(): Promise<Published>;
  /** Keeps the record of a slow operation for other instances. */
  keep(id: string, text: string): Promise<void>;
  /** The record of a slow operation. Undefined if there is none. Not checked. */
  find(id: string): Promise<unknown>;
  drop(id: string): Promise<void>;
}

/** The instances that are read: those that published last. */
export const MAX_INSTANCES = 200;
/** For how long a summary is kept after its instance was lost, and a record after it was written. */
export const SUMMARY_TTL_MS = 10 * 60_000;
export const RECORD_TTL_MS = 60 * 60_000;
/** Of the record of a slow operation, as text. */
export const MAX_RECORD_BYTES = 64 * 1024;

const RECORD_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** Whether an id is safe as part of a file name and of a key. */
export function isRecordId(id: string): boolean {
  return RECORD_ID.test(id);
}
