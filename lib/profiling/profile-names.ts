import { randomBytes } from 'node:crypto';
import { FILE_EXTENSIONS, PROFILE_TYPES, type ProfileType } from './profile-info.js';

/** UTC to the second, process id, sequence number, and a random part for processes that share number and directory. */
const ID = String.raw`\d{8}T\d{6}-[1-9]\d{0,9}-\d{6,12}-[0-9a-f]{6}`;
const SIDECAR = 'json';
const EXTENSION = [...PROFILE_TYPES.map((type) => FILE_EXTENSIONS[type]), SIDECAR].join('|');

const ID_PATTERN = new RegExp(`^${ID}$`);
const NAME_PATTERN = new RegExp(`^(${ID})\\.(${EXTENSION})(?:\\.([1-9]\\d{0,9})\\.tmp)?$`);

/** What the name of a file of ours says. */
export interface ProfileName {
  readonly id: string;
  /** Whether it describes a profile, rather than being one. */
  readonly sidecar: boolean;
  /** The process that writes it, while it is not complete. */
  readonly writer: number | undefined;
}

let sequence = 0;

/** A new id, unique among all processes; ids of one process sort by age. Does no I/O. */
export function newProfileId(): string {
  const time = new Date().toISOString().replaceAll(/[-:]|\..*/g, '');
  sequence++;
  return `${time}-${process.pid}-${String(sequence).padStart(6, '0')}-${randomBytes(3).toString('hex')}`;
}

/** Whether something that may have come from outside is an id. One that is can be a part of a path. */
export function isProfileId(id: unknown): id is string {
  return typeof id === 'string' && ID_PATTERN.test(id);
}

/** When an id was made, in milliseconds since 1970. */
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

/** What a file is called until it is complete. */
export function temporaryPath(path: string): string {
  return `${path}.${process.pid}.tmp`;
}

/** @returns nothing for the name of a file that is not ours. */
export function parseProfileName(name: string): ProfileName | undefined {
  const match = NAME_PATTERN.exec(name);
  if (match === null) return undefined;
  const [, id = '', extension, writer] = match;
  return { id, sidecar: extension === SIDECAR, writer: writer === undefined ? undefined : Number(writer) };
}
