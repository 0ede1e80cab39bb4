import { openFile } from '../validation/own-file.js';
import { PROFILE_TYPES, type ProfileInfo } from './profile-info.js';

/**
 * The description of a profile, as stored in the file beside it. Size and path are read from the profile's own file.
 */
export type NewProfile = Omit<ProfileInfo, 'bytes' | 'path'>;

/** A larger file is not a description. */
export const MAX_SIDECAR_BYTES = 64 * 1024;

/**
 * Reads the description of a profile. Drops unknown fields.
 * @returns undefined if it does not describe this id
 * @throws ForeignFileError if another user may have written it; Error if it cannot be read
 */
export async function readSidecar(path: string, id: string): Promise<NewProfile | undefined> {
  const { file, stats } = await openFile(path, { own: true });
  try {
    if (stats.size > MAX_SIDECAR_BYTES) return undefined;
    return describedProfile(JSON.parse(await file.readFile('utf8')), id);
  } finally {
    await file.close();
  }
}

/** The known fields of a description; undefined if it does not describe this id. */
export function describedProfile(described: unknown, id: string): NewProfile | undefined {
  return isProfile(described) && described.id === id ? knownFields(described) : undefined;
}

function knownFields({ id, type, reason, startedAt, durationMs, scope, ...more }: NewProfile): NewProfile {
  const { samples, operation } = more;
  return {
    id,
    type,
    reason,
    startedAt,
    durationMs,
    scope,
    ...(samples !== undefined && { samples }),
    ...(operation !== undefined && { operation: knownOperation(operation) }),
  };
}

function knownOperation({ type, name, traceId, spanId }: NonNullable<NewProfile['operation']>) {
  return { type, name, traceId, spanId };
}

function isProfile(value: unknown): value is NewProfile {
  if (!isRecord(value)) return false;
  const { type, reason, startedAt, durationMs, scope, samples, operation } = value;
  return (
    PROFILE_TYPES.some((known) => known === type) &&
    // Later versions may add reasons.
    [reason, scope].every((text) => typeof text === 'string') &&
    [startedAt, durationMs, samples ?? 0].every(Number.isFinite) &&
    (operation === undefined || isOperation(operation))
  );
}

function isOperation(value: unknown): boolean {
  return (
    isRecord(value) &&
    (['type', 'name', 'traceId', 'spanId'] as const).every((field) => typeof value[field] === 'string')
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
