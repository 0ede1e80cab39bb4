import { readdir } from 'node:fs/promises';
import { openFile } from '../validation/own-file.js';
import { writeWhole } from './profile-content.js';
import { parseProfileName } from './profile-names.js';

/** A larger file does not describe a slow operation. */
export const MAX_OPERATION_BYTES = 64 * 1024;

/** The description of a slow operation beside its profile. Nothing in its text has been checked. */
export interface StoredOperation {
  /** The id of the profile. */
  readonly profile: string;
  readonly text: string;
}

/**
 * The ids of the profiles that a slow operation has been written beside, the newest first. An operation that was checked twice
 * may have two.
 * @throws Error if the directory cannot be read
 */
export async function profilesOf(directory: string, operation: string): Promise<string[]> {
  const profiles = (await readdir(directory)).flatMap((name) => {
    const parsed = parseProfileName(name);
    return parsed?.operation === operation && parsed.writer === undefined ? [parsed.id] : [];
  });
  return profiles.sort().reverse();
}

/** Writes the description of a slow operation. @returns false if it is too large */
export async function writeOperation(path: string, text: string, room: number): Promise<boolean> {
  const maxBytes = Math.min(MAX_OPERATION_BYTES, room);
  if (Buffer.byteLength(text) > maxBytes) return false;
  await writeWhole(path, text, maxBytes);
  return true;
}

/**
 * Reads the description of a slow operation.
 * @returns undefined if it is too large
 * @throws ForeignFileError if another user may have written it; Error if it cannot be read
 */
export async function readOperation(path: string): Promise<string | undefined> {
  const { file, stats } = await openFile(path, { own: true });
  try {
    if (stats.size > MAX_OPERATION_BYTES) return undefined;
    const text = await file.readFile('utf8');
    return text.length > MAX_OPERATION_BYTES ? undefined : text;
  } finally {
    await file.close();
  }
}
