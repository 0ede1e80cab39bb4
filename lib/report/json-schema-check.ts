import { formatValue } from '../validation/options-error.js';
import { own } from '../validation/own.js';
import type { JsonSchema } from './json-schema.js';

/**
 * Checks a value that was read as JSON.
 * @returns the first fault: where, the received value, and what is expected
 */
export function faultOf(schema: JsonSchema, value: unknown, path = ''): string | undefined {
  const refuse = (allowed: string): string =>
    `${path === '' ? '' : `${path}: `}received ${formatValue(value)}, expected ${allowed}`;
  const { type, anyOf, minimum, maximum, minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema;
  if (anyOf !== undefined) {
    const fits = anyOf.some((one) => faultOf(one, value, path) === undefined);
    return fits ? undefined : refuse(anyOf.map(({ title }) => title ?? 'another').join(' or '));
  }
  if (type !== undefined && !isOfType(type, value)) return refuse(TYPE_WORDS[type]);
  if (schema.enum !== undefined && !schema.enum.includes(value as string))
    return refuse(`one of ${schema.enum.join(', ')}`);
  if (typeof value === 'number') {
    if (minimum !== undefined && value < minimum) return refuse(`${minimum} or more`);
    if (maximum !== undefined && value > maximum) return refuse(`${maximum} or less`);
  }
  if (Array.isArray(value)) {
    if (value.length < minItems || value.length > maxItems) return refuse(`${minItems} entries`);
    return firstFault(
      value.map((entry, index) => [schema.prefixItems?.[index] ?? schema.items, entry, `${path}[${index}]`]),
    );
  }
  return type === 'object' ? faultIn(schema, value as Record<string, unknown>, path) : undefined;
}

const TYPE_WORDS: Readonly<Record<NonNullable<JsonSchema['type']>, string>> = {
  object: 'an object',
  array: 'an array',
  string: 'a string',
  number: 'a number',
  integer: 'an integer',
  boolean: 'true or false',
};

function faultIn(schema: JsonSchema, value: Record<string, unknown>, path: string): string | undefined {
  const { properties = {}, required = [], additionalProperties } = schema;
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const missing = required.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) return `${at(missing)} is missing`;
  return firstFault(
    Object.entries(value).map(([name, entry]) => [
      own(properties, name) ?? additionalProperties,
      entry,
      at(name),
    ]),
  );
}

function firstFault(checks: [JsonSchema | undefined, unknown, string][]): string | undefined {
  for (const [schema, value, path] of checks) {
    const fault = schema === undefined ? undefined : faultOf(schema, value, path);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function isOfType(type: NonNullable<JsonSchema['type']>, value: unknown): boolean {
  switch (type) {
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}
