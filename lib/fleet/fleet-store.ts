/** The texts that instances of one service have published. Nothing in them has been checked. */
export interface Published {
  readonly summaries: readonly { readonly key: string; readonly text: unknown }[];
  /** Instances beyond {@link MAX_INSTANCES}. */
  readonly omitted: number;
}

/** Names that one instance at a time can claim. A claim has a value, and expires. */
export interface Claims {
  /** Claims a name unless it is claimed. @returns the value of the claim that there is now: `value` if this call made it */
  claim(name: string, value: string, ttlMs: number): Promise<unknown>;
  /** Extends the claim of whichever instance. @returns its value; undefined if there is none */
  renew(name: string, ttlMs: number): Promise<unknown>;
  /** Ends the claim of whichever instance. @returns its value; undefined unless this call ended it */
  release(name: string): Promise<unknown>;
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
  /** Replaces the list of alerts that fire on an instance. It expires after `ttlMs`. */
  announce(key: string, text: string, ttlMs: number): Promise<void>;
  withdrawAnnounced(key: string): Promise<void>;
  /** The list of one instance; undefined if there is none. Not checked. @param ttlMs as it was announced */
  announcedBy(key: string, ttlMs: number): Promise<unknown>;
  /** The lists of all instances. Not checked. */
  announced(ttlMs: number): Promise<readonly { readonly key: string; readonly text: unknown }[]>;
  readonly claims: Claims;
  /** Undefined where profiles are not kept, as they are files of a machine that the instances share. */
  readonly profiles: ProfileTexts | undefined;
}

/** The profiles of slow operations, by their ids. */
export interface ProfileTexts {
  keep(id: string, text: string): Promise<void>;
  /** Undefined if there is none. Not checked. */
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

/** Of the list of alerts of an instance, and of the value of a claim, as text. */
export const MAX_ANNOUNCED_BYTES = 64 * 1024;
export const MAX_CLAIM_BYTES = 256;
