/** The part of JSON Schema (draft 2020-12) that a report's schema is written in. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly $id?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean';
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema;
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly (string | number | boolean)[];
  readonly anyOf?: readonly JsonSchema[];
}

declare const ACCEPTED: unique symbol;

/** A schema that accepts every value of the type `T`: one that does not is an error of the compiler. */
export interface Schema<in T> {
  readonly json: JsonSchema;
  readonly [ACCEPTED]?: (value: T) => void;
}

/** The schema of a property that may be absent. */
export interface OptionalSchema<in T> extends Schema<T> {
  readonly isOptional: true;
}

/** A schema for each property of `T`, and for no other: one that may be absent is to be marked so. */
export type PropertySchemas<T> = {
  readonly [K in keyof T]-?: undefined extends T[K]
    ? OptionalSchema<Exclude<T[K], undefined>>
    : Schema<T[K]> & { readonly isOptional?: never };
};

/** @param title what a generator of code may call it */
export function object<T>(title: string, properties: PropertySchemas<T>): Schema<T> {
  const entries = Object.entries(properties) as [string, Schema<never> & { isOptional?: boolean }][];
  return {
    json: {
      title,
      type: 'object',
      properties: Object.fromEntries(entries.map(([name, { json }]) => [name, json])),
      required: entries.filter(([, { isOptional }]) => isOptional !== true).map(([name]) => name),
    },
  };
}

export function optional<T>({ json }: Schema<T>): OptionalSchema<T> {
  return { json, isOptional: true };
}

export function list<T>({ json }: Schema<T>, description?: string): Schema<readonly T[]> {
  return { json: described({ type: 'array', items: json }, description) };
}

export function pair({ json }: Schema<number>, description: string): Schema<readonly [number, number]> {
  return { json: { description, type: 'array', prefixItems: [json, json], minItems: 2, maxItems: 2 } };
}

export function either<A, B>(one: Schema<A>, other: Schema<B>): Schema<A | B> {
  return { json: { anyOf: [one.json, other.json] } };
}

/** Texts by any name. */
export function texts(description: string): Schema<Readonly<Record<string, string>>> {
  return { json: { description, type: 'object', additionalProperties: { type: 'string' } } };
}

export function text(description?: string): Schema<string> {
  return { json: described({ type: 'string' }, description) };
}

export function flag<const T extends boolean = boolean>(description: string, ...only: T[]): Schema<T> {
  return { json: { description, type: 'boolean', ...(only.length === 0 ? {} : { enum: only }) } };
}

export function number(
  description: string,
  bounds: Pick<JsonSchema, 'minimum' | 'maximum'> = {},
): Schema<number> {
  return { json: { description, type: 'number', ...bounds } };
}

export function whole(description: string, bounds: Pick<JsonSchema, 'minimum'> = {}): Schema<number> {
  return { json: { description, type: 'integer', ...bounds } };
}

/** One of these texts. */
export function oneOf<const T extends string>(values: readonly T[], description?: string): Schema<T> {
  return { json: described({ type: 'string', enum: values }, description) };
}

export function exactly<const T extends number>(value: T, description: string): Schema<T> {
  return { json: { description, type: 'integer', enum: [value] } };
}

function described(schema: JsonSchema, description: string | undefined): JsonSchema {
  return description === undefined ? schema : { description, ...schema };
}
