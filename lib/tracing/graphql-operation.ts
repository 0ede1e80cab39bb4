/** The most operation names of clients that are kept. Clients may send any. */
const MAX_NAMES = 500;
/** How much of a document is searched for the name of its operation, in characters. */
const MAX_TEXT = 10_000;
const NAME = /^[_A-Za-z]\w{0,99}$/;
const STRING = /"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|#[^\n]*/g;
const OPERATION = /(?:^|[\s}])(?:query|mutation|subscription)\s+([_A-Za-z]\w{0,99})\s*[({@]/;

/** The operation of a GraphQL request. */
export interface GraphqlOperation {
  /** `query`, `mutation` or `subscription` */
  readonly type: string;
  /** As the client named it, otherwise its first resolver. */
  readonly name: string;
}

/** The operation names of clients, up to a limit. */
export class ClientNames {
  private readonly names = new Set<string>();

  /** The name, or undefined for a further one when there are too many. */
  bounded(name: string | undefined): string | undefined {
    if (name === undefined || this.names.has(name)) return name;
    if (this.names.size >= MAX_NAMES) return undefined;
    this.names.add(name);
    return name;
  }
}

/**
 * The name that a client gave to the operation of a request; undefined for anonymous operations and batches.
 * @param request a request whose body is parsed
 */
export function operationNameOf(request: unknown): string | undefined {
  const { body, query } = (request ?? {}) as { body?: unknown; query?: unknown };
  return nameIn(body) ?? nameIn(query);
}

function nameIn(parameters: unknown): string | undefined {
  if (typeof parameters !== 'object' || parameters === null || Array.isArray(parameters)) return undefined;
  const { operationName, query } = parameters as { operationName?: unknown; query?: unknown };
  if (typeof operationName === 'string') return NAME.test(operationName) ? operationName : undefined;
  if (typeof query !== 'string') return undefined;
  return OPERATION.exec(query.slice(0, MAX_TEXT).replace(STRING, ''))?.[1];
}
