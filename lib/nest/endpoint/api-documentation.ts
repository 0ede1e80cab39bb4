import 'reflect-metadata';

/** The OpenAPI schema of an optional query parameter. */
export interface QuerySchema {
  readonly type: 'integer' | 'string';
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly description?: string;
}

interface Description {
  readonly summary: string;
  readonly query: Readonly<Record<string, QuerySchema>>;
}

/** An operation of an OpenAPI 3 document. */
export interface ApiOperation {
  readonly tags: readonly string[];
  readonly operationId: string;
  readonly summary: string;
  readonly parameters: readonly object[];
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
}

const DESCRIPTION = Symbol('nestjs-performance description of a route');

/** The schema of a parameter that limits the length of a list. */
export function listed(maximum: number, description?: string): QuerySchema {
  return { type: 'integer', minimum: 1, maximum, ...(description === undefined ? {} : { description }) };
}

/** Documents a route and its query parameters. Routes without it are internal to the page. */
export function Documented(
  summary: string,
  query: Readonly<Record<string, QuerySchema>> = {},
): MethodDecorator {
  return (_target, _key, descriptor) =>
    Reflect.defineMetadata(DESCRIPTION, { summary, query } satisfies Description, descriptor.value as object);
}

/**
 * The OpenAPI operation of a route; undefined if it is not documented.
 * @param path with parameters such as `:id`
 */
export function apiOperation(handler: object, name: string, path: string): ApiOperation | undefined {
  const description: Description | undefined = Reflect.getMetadata(DESCRIPTION, handler);
  if (description === undefined) return undefined;
  const parts = [...path.matchAll(/:(\w+)/g)].map(([, part]) => ({
    name: part,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const query = Object.entries(description.query).map(([parameter, { description: text, ...schema }]) => ({
    name: parameter,
    in: 'query',
    required: false,
    ...(text === undefined ? {} : { description: text }),
    schema,
  }));
  return {
    tags: ['Performance'],
    operationId: name,
    summary: description.summary,
    parameters: [...parts, ...query],
    responses: { default: { description: '' } },
  };
}
