import { randomBytes } from 'node:crypto';
import { FILE_EXTENSIONS, PROFILE_TYPES, type ProfileType } from './profile-info.js';

/** UTC to the second, process id, sequence number, and a random part for processes that share id and directory. */
const ID = String.raw`\d{8}T\d{6}-[1-9]\d{0,9}-\d{6,12}-[0-9a-f]{6}`;
const SIDECAR = 'json';
const EXTENSION = [...PROFILE_TYPES.map((type) => FILE_EXTENSIONS[type]), SIDECAR].join('|');

const ID_PATTERN = new RegExp(`^${ID}$`);
const OPERATION_ID = '[A-Za-z0-9_-]{1,64}';
const OPERATION_PATTERN = new RegExp(`^${OPERATION_ID}$`);
const NAME_PATTERN = new RegExp(
  `^(${ID})\\.(?:(${EXTENSION})|(${OPERATION_ID})\\.slow)(?:\\.([1-9]\\d{0,9})\\.tmp)?$`,
);

/** The parts of the name of a file that this library has written. */
export interface ProfileName {
  readonly id: string;
  /** Whether the file describes a profile, rather than being one. */
  readonly sidecar: boolean;
  /** The id of the slow operation that the file describes, rather than being a profile. */
  readonly operation: string | undefined;
  /** The id of the process that is writing it; undefined if it is complete. */
  readonly writer: number | undefined;
}

let sequence = 0;

/** A new id, unique among all processes; the ids of one process sort by age. Does no I/O. */
export function newProfileId(): string {
  const time = new Date().toISOString().replaceAll(/[-:]|\..*/g, '');
  sequence++;
  return `${time}-${process.pid}-${String(sequence).padStart(6, '0')}-${randomBytes(3).toString('hex')}`;
}

/** Whether a value is a valid id, which is safe as a part of a path even if it comes from outside. */
export function isProfileId(id: unknown): id is string {
  return typeof id === 'string' && ID_PATTERN.test(id);
}

/** When an id was created, in milliseconds since 1970. */
export function timeOf(id: string): number {
  const part = (start: number, length = 2): number => Number(id.slice(start, start + length));
  return Date.UTC(part(0, 4), part(4) - 1, part(6), part(9), part(11), part(13));
}

export function profileName(id: string, type: ProfileType): string {
  return `${id}.${FILE_EXTENSIONS[type]}`;
}

/** The name of the file that describes a profile. */
export function sidecarName(id: string): string {
  return `${id}.${SIDECAR}`;
}

/** The name of the file that describes the slow operation of a profile. */
export function operationName(id: string, operation: string): string {
  return `${id}.${operation}.slow`;
}

/** Whether the id of a slow operation is safe as a part of a path, even if it comes from outside. */
export function isOperationId(id: unknown): id is string {
  return typeof id === 'string' && OPERATION_PATTERN.test(id);
}

/** The name of a file until it is complete. */
export function temporaryPath(path: string): string {
  return `${path}.${process.pid}.tmp`;
}

/** @returns undefined for the name of any other file. */
export function parseProfileName(name: string): ProfileName | undefined {
  const match = NAME_PATTERN.exec(name);
  if (match === null) return undefined;
  const [, id = '', extension, operation, writer] = match;
  return {
    id,
    sidecar: extension === SIDECAR,
    operation,
    writer: writer === undefined ? undefined : Number(writer),
  };
}

/** @throws RangeError for an invalid id */
export function checkedProfileId(id: string): string {
  if (!isProfileId(id))
    throw new RangeError(
      `Invalid profile id: received ${JSON.stringify(id)}, expected an id of this library`,
    );
  return id;
}
