import type { JsonSchema } from '../report/json-schema.js';
import { own } from '../validation/own.js';

const MAX_LEVELS = 8;

/**
 * What a schema knows of a value that it accepts, at any level: objects with their own properties that it names, lists with
 * their items. Nothing else is passed on, as a name that is not known here may mean something where the value is shown.
 */
export function knownOf<T>(schema: JsonSchema, value: T): T {
  return known(schema, value) as T;
}

function known(schema: JsonSchema, value: unknown): unknown {
  const { properties = {}, items = {} } = schema;
  if (Array.isArray(value)) return value.map((item) => known(items, item));
  if (typeof value !== 'object' || value === null) return value;
  const given = value as Record<string, unknown>;
  const kept: [string, unknown][] = [];
  for (const [name, inner] of Object.entries(properties)) {
    if (Object.hasOwn(given, name)) kept.push([name, known(inner, own(given, name))]);
  }
  return Object.fromEntries(kept);
}

/** JSON may contain `1e999`, which becomes Infinity, and thousands of levels. */
export function isPlain(value: unknown, levels = MAX_LEVELS): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isPlain(inner, levels - 1));
}
