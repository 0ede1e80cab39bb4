import type { Inputs } from './work-group.js';

/** Values of a call that are hashed, and characters of each: enough to distinguish calls. */
const MAX_VALUES = 16;
const MAX_CHARACTERS = 128;

/** The next hash of a value that has no text: equal to no other. Not negative, as the literals of statements are. */
let nextUnknown = 2 ** 32;

/** Hashes of bound values, or undefined if there are too many. The values themselves are not kept. */
export function inputsOf(values: readonly unknown[]): Inputs | undefined {
  if (values.length > MAX_VALUES) return undefined;
  const inputs: number[] = [];
  for (const value of values) inputs.push(hashInput(value));
  return inputs;
}

/** Added to the hashes of values that no call returns. */
const CONSTANT = 2 ** 40;

/** The hash of a value that is known before any call is made, as a setting is. */
export function constantInput(value: string): number {
  return hashInput(value) + CONSTANT;
}

export function isConstantInput(input: number): boolean {
  return input >= CONSTANT && input < NAME;
}

/** Added to the hashes of names that may also be data, as `s3` in a path. */
const NAME = 2 ** 41;

/** The hash of a name that only a call to the same host may have returned. */
export function nameInput(value: string): number {
  return hashInput(value) + NAME;
}

export function isNameInput(input: number): boolean {
  return input >= NAME;
}

/** The number of values, or the length of the longest array among them: `= ANY($1)` counts like `IN ($1, $2)`. */
export function sizeOf(values: readonly unknown[]): number {
  let size = values.length;
  for (const value of values) if (Array.isArray(value) && value.length > size) size = value.length;
  return size;
}

/** FNV-1a over the beginning of a value as text, so that 42 and '42' are equal. */
export function hashInput(value: unknown): number {
  const text = textOf(value);
  if (text === undefined) return nextUnknown++;
  const length = Math.min(text.length, MAX_CHARACTERS);
  let hash = 0x811c9dc5 ^ text.length;
  for (let at = 0; at < length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

function textOf(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'object':
      if (value === null) return 'null';
      return value instanceof Date ? String(value.getTime()) : undefined;
    default:
      return value === undefined ? 'undefined' : undefined;
  }
}
