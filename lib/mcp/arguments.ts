import { parseSince, SINCE_ALLOWED } from '../report/covered-time.js';
import { isObject } from '../validation/checks.js';
import { formatValue, invalid } from '../validation/options-error.js';
import { own } from '../validation/own.js';

/** The rule of one argument of a tool or a prompt. */
export interface Argument<T> {
  /** Its JSON Schema, with a description. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** The allowed values in words. */
  readonly allowed: string;
  readonly required?: boolean;
  /** The value as the tool uses it; undefined if it is not allowed. */
  read(given: unknown): T | undefined;
}

/** The arguments of a tool by name. */
export type Arguments = Readonly<Record<string, Argument<unknown>>>;

/** The values of arguments. An optional one that was not given is undefined. */
export type ValuesOf<A extends Arguments> = {
  readonly [K in keyof A]:
    | (A[K] extends Argument<infer T> ? T : never)
    | (A[K] extends Required ? never : undefined);
};

interface Required {
  readonly required: true;
}

/** Arguments that are not allowed. The message names each with its value and what is expected. */
export class ArgumentError extends Error {}

/** Of texts, in characters. */
const MAX_TEXT = 512;
/** Faults that a message names. */
const MAX_FAULTS = 5;

export function text(description: string): Argument<string> {
  return {
    schema: { type: 'string', minLength: 1, maxLength: MAX_TEXT, description },
    allowed: `a string of 1 to ${MAX_TEXT} characters`,
    read: (given) =>
      typeof given === 'string' && given.trim() !== '' && given.length <= MAX_TEXT ? given.trim() : undefined,
  };
}

export function whole(description: string, minimum: number, maximum: number): Argument<number> {
  return {
    schema: { type: 'integer', minimum, maximum, description },
    allowed: `a whole number from ${minimum} to ${maximum}`,
    read: (given) =>
      Number.isInteger(given) && (given as number) >= minimum && (given as number) <= maximum
        ? (given as number)
        : undefined,
  };
}

export function flag(description: string): Argument<boolean> {
  return {
    schema: { type: 'boolean', description },
    allowed: 'true or false',
    read: (given) => (typeof given === 'boolean' ? given : undefined),
  };
}

export function oneOf<const T extends string>(description: string, values: readonly T[]): Argument<T> {
  return {
    schema: { type: 'string', enum: values, description },
    allowed: `one of ${values.join(', ')}`,
    read: (given) => values.find((value) => value === given),
  };
}

/** A past moment, in milliseconds since 1970. */
export function moment(description: string): Argument<number> {
  return {
    schema: {
      type: ['string', 'number'],
      description: `${description}: ${SINCE_ALLOWED}`,
    },
    allowed: SINCE_ALLOWED,
    read: (given) =>
      typeof given === 'string' || typeof given === 'number'
        ? parseSince(String(given).slice(0, 40), Date.now())
        : undefined,
  };
}

export function required<T>(argument: Argument<T>): Argument<T> & Required {
  return { ...argument, required: true };
}

/** The JSON Schema of arguments. */
export function schemaOf(table: Arguments): { type: 'object'; [key: string]: unknown } {
  const rules = Object.entries(table);
  return {
    type: 'object',
    properties: Object.fromEntries(rules.map(([name, { schema }]) => [name, schema])),
    required: rules.filter(([, rule]) => rule.required === true).map(([name]) => name),
    additionalProperties: false,
  };
}

/** The values of arguments. @throws ArgumentError for unknown, missing or invalid ones */
export function readArguments<A extends Arguments>(table: A, given: unknown): ValuesOf<A> {
  const object = given ?? {};
  if (!isObject(object)) throw new ArgumentError(invalid('arguments', formatValue(given), 'an object'));
  const names = Object.keys(table);
  const faults = Object.keys(object)
    .filter((name) => !Object.hasOwn(table, name))
    .map((name) =>
      invalid('argument', formatValue(name), names.length === 0 ? 'none' : `one of ${names.join(', ')}`),
    );
  const values = new Map<string, unknown>();
  for (const [name, rule] of Object.entries(table)) {
    const one = own(object, name);
    // Models send null for what they leave out.
    if (one === undefined || one === null) {
      if (rule.required === true)
        faults.push(invalid(`argument ${name}`, formatValue(undefined), rule.allowed));
      continue;
    }
    const value = rule.read(one);
    if (value === undefined) faults.push(invalid(`argument ${name}`, formatValue(one), rule.allowed));
    values.set(name, value);
  }
  if (faults.length > 0) throw new ArgumentError(faults.slice(0, MAX_FAULTS).join('\n'));
  return Object.fromEntries(values) as ValuesOf<A>;
}
