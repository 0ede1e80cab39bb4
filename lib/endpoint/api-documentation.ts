import 'reflect-metadata';

/**
 * What `@nestjs/swagger` reads where an application uses it. Its decorators leave metadata under these names, and so do
 * ours: there is nothing to load, and nothing to depend on.
 */
const TAGS = 'swagger/apiUseTags';
const OPERATION = 'swagger/apiOperation';
const PARAMETERS = 'swagger/apiParameters';
const EXCLUDED = 'swagger/apiExcludeEndpoint';

const TAG = 'Performance';

/** A query parameter, none of which is required: its schema as OpenAPI has it. */
export interface QuerySchema {
  readonly type: 'integer' | 'string';
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly description?: string;
}

/** How many entries of a list, from 1 on. */
export function listed(maximum: number, description?: string): QuerySchema {
  return { type: 'integer', minimum: 1, maximum, ...(description === undefined ? {} : { description }) };
}

/** Says what a route answers, and what it can be asked for. */
export function Documented(
  summary: string,
  query: Readonly<Record<string, QuerySchema>> = {},
): MethodDecorator {
  const parameters = Object.entries(query).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: false,
    ...(description === undefined ? {} : { description }),
    schema,
  }));
  return leave((handler) => {
    Reflect.defineMetadata(TAGS, [TAG], handler);
    Reflect.defineMetadata(OPERATION, { summary }, handler);
    Reflect.defineMetadata(PARAMETERS, parameters, handler);
  });
}

/** Leaves a route out: nobody calls it but the page. */
export const Undocumented: MethodDecorator = leave((handler) => {
  Reflect.defineMetadata(EXCLUDED, { disable: true }, handler);
});

function leave(metadata: (handler: object) => void): MethodDecorator {
  return (_target, _key, descriptor) => metadata(descriptor.value as object);
}
