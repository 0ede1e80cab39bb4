import { validateHeaderName, validateHeaderValue } from 'node:http';
import { originOf } from '../text/address.js';
import { formatValue, type OptionFault } from './options-error.js';
import { own } from './own.js';

/** The rule of one value. */
export interface Check {
  /** The allowed values in words: `a number from 0 to 1`. */
  readonly allowed: string;
  readonly accepts: (value: unknown) => boolean;
  /** Errors do not show its value. */
  readonly secret?: boolean;
  /** Errors show only the scheme and the host: the path of an address may be a secret. */
  readonly isAddress?: boolean;
  readonly required?: boolean;
}

/** An array of objects. The shape of each may depend on its values. */
export interface List {
  readonly max: number;
  readonly shapeOf: (item: Record<string, unknown>) => Shape;
}

export interface Shape {
  readonly [key: string]: Check | List | Shape;
}

export const isCheck = (rule: Check | List | Shape): rule is Check =>
  typeof (rule as Check).accepts === 'function';
export const isList = (rule: List | Shape): rule is List => typeof (rule as List).shapeOf === 'function';
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A day. A longer threshold is surely in the wrong unit. */
const MAX_MS = 86_400_000;

const isNumberIn = (value: unknown, min: number, max: number): boolean =>
  typeof value === 'number' && value >= min && value <= max;

export const boolean: Check = { allowed: 'true or false', accepts: (value) => typeof value === 'boolean' };
export const text: Check = {
  allowed: 'a non-empty string',
  accepts: (value) => typeof value === 'string' && value.trim() !== '',
};
/** A threshold in milliseconds. */
export const milliseconds: Check = {
  allowed: `a number of milliseconds, 0 to ${MAX_MS}`,
  accepts: (value) => isNumberIn(value, 0, MAX_MS),
};
export const number = (min: number, max: number): Check => ({
  allowed: `a number from ${min} to ${max}`,
  accepts: (value) => isNumberIn(value, min, max),
});
export const whole = (min: number, max: number): Check => ({
  allowed: `a whole number from ${min} to ${max}`,
  accepts: (value) => Number.isInteger(value) && isNumberIn(value, min, max),
});
export const oneOf = (values: readonly string[]): Check => ({
  allowed: `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`,
  accepts: (value) => values.includes(value as string),
});
export const httpAddress = (example: string): Check => ({
  allowed: `an address such as ${example} (http: or https:)`,
  isAddress: true,
  accepts: (value) =>
    typeof value === 'string' && URL.canParse(value) && ['http:', 'https:'].includes(new URL(value).protocol),
});
export const httpHeaders: Check = {
  allowed: 'an object of valid HTTP header names and values',
  secret: true,
  accepts: (value) => isObject(value) && Object.entries(value).every(isHeader),
};
export const secret: Check = { ...text, secret: true };
export const longSecret: Check = {
  allowed: 'a string of at least 16 characters',
  accepts: (value) => typeof value === 'string' && value.length >= 16,
  secret: true,
};
/** A secret for the Authorization header. */
export const bearerToken: Check = {
  allowed: 'a string of at least 16 ASCII characters without spaces',
  accepts: (value) => typeof value === 'string' && /^[\x21-\x7e]{16,}$/.test(value),
  secret: true,
};
export const required = (check: Check): Check => ({ ...check, required: true });

/** Adds the faults of an object: unknown names, missing values, and values that are not allowed. */
export function checkShape(
  value: Record<string, unknown>,
  shape: Shape,
  prefix: string,
  faults: OptionFault[],
): void {
  for (const [key, given] of Object.entries(value)) {
    const path = prefix + key;
    const rule = own<Shape[string]>(shape, key);
    if (rule === undefined) {
      const names = Object.keys(shape);
      const near = names.find((name) => distance(name.toLowerCase(), key.toLowerCase()) <= 3);
      const hint = near === undefined ? '' : ` (did you mean ${prefix}${near}?)`;
      faults.push({ path, received: 'an unknown option', allowed: `one of ${names.join(', ')}${hint}` });
    } else if (given !== undefined) {
      checkRule(given, rule, path, faults);
    }
  }
  for (const [key, rule] of Object.entries(shape)) {
    if (isCheck(rule) && rule.required && value[key] === undefined) {
      faults.push({ path: prefix + key, received: formatValue(undefined), allowed: rule.allowed });
    }
  }
}

/** A value that a rule does not accept, as errors show it. */
export function receivedBy({ secret, isAddress }: Check, value: unknown): string {
  if (secret) return 'a hidden value';
  return formatValue(isAddress && typeof value === 'string' ? originOf(value) : value);
}

function checkRule(given: unknown, rule: Check | List | Shape, path: string, faults: OptionFault[]): void {
  if (isCheck(rule)) {
    if (rule.accepts(given)) return;
    faults.push({ path, received: receivedBy(rule, given), allowed: rule.allowed });
  } else if (isList(rule)) {
    checkList(given, rule, path, faults);
  } else if (isObject(given)) {
    checkShape(given, rule, `${path}.`, faults);
  } else {
    faults.push({
      path,
      received: formatValue(given),
      allowed: `an object with ${Object.keys(rule).join(', ')}`,
    });
  }
}

function checkList(given: unknown, { max, shapeOf }: List, path: string, faults: OptionFault[]): void {
  if (!Array.isArray(given) || given.length > max) {
    const received = Array.isArray(given) ? `an array of ${given.length}` : formatValue(given);
    faults.push({ path, received, allowed: `an array of up to ${max} objects` });
    return;
  }
  for (const [index, item] of given.entries()) {
    const at = `${path}[${index}]`;
    if (isObject(item)) checkShape(item, shapeOf(item), `${at}.`, faults);
    else faults.push({ path: at, received: formatValue(item), allowed: 'an object' });
  }
}

/** The Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitution);
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function isHeader([name, value]: [string, unknown]): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value as string);
    return typeof value === 'string';
  } catch {
    return false;
  }
}
