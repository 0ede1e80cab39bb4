import { bearerToken, boolean, isObject, whole } from '../validation/checks.js';
import { type OptionTable, option, textFrom } from '../validation/option-table.js';
import { sourceUrl } from './source-url.js';

/**
 * Access to the endpoint: `token`, `authorize` and `guards` are checked in this order, and the first check that grants
 * access wins. Without any of them, callers on the loopback interface have access outside production (`NODE_ENV`), and
 * nobody in production. The path is set beside the options: `forRoot({ ..., endpointPath })`.
 */
export interface EndpointOptions {
  enabled?: boolean | undefined;
  /**
   * A secret of at least 16 characters, sent by callers as `Authorization: Bearer TOKEN`, or entered in the page, which
   * begins a session of 12 hours.
   */
  token?: string | undefined;
  /** Returns whether a request has access. It receives the request of the platform, Express or Fastify. */
  // biome-ignore lint/suspicious/noExplicitAny: a function that names the type of its request must be accepted.
  authorize?: ((request: any) => boolean | Promise<boolean>) | undefined;
  /**
   * Nest guards, all of which must grant access: instances, or classes, which are resolved from the application's providers
   * or created. An exception of a guard is the response.
   */
  guards?: (EndpointGuardLike | EndpointGuardClass)[] | undefined;
  /**
   * Where the page links lines of code: `vscode`, `cursor` or `jetbrains` for an editor on the machine that runs the
   * application, or an address with `{file}`, `{line}`, `{column}` and `{commit}`, such as
   * `https://github.com/owner/repository/blob/{commit}/{file}#L{line}`. `{commit}` is the attribute `vcs.ref.head.revision` of
   * `OTEL_RESOURCE_ATTRIBUTES`, otherwise `HEAD`. With `vscode` and `cursor`, all who may see the page see the path of the
   * working directory.
   */
  sourceUrl?: string | undefined;
  /** The maximum number of concurrent live pages. */
  maxStreams?: number | undefined;
  /** Answer agents by Model Context Protocol at `/performance/mcp`. It only reads, and requires the same access. */
  mcp?: boolean | undefined;
}

/** Nest's `CanActivate`: returns a boolean, or a promise or an Observable of one. */
export interface EndpointGuardLike {
  canActivate(execution: never): unknown;
}
export type EndpointGuardClass = new (...dependencies: never[]) => EndpointGuardLike;

export interface ResolvedEndpointOptions extends EndpointOptions {
  readonly enabled: boolean;
  readonly maxStreams: number;
  readonly mcp: boolean;
}

export const ENDPOINT_OPTIONS: OptionTable<EndpointOptions> = {
  enabled: option(boolean, { default: true }),
  token: bearerToken,
  authorize: { allowed: 'a function', accepts: (value) => typeof value === 'function' },
  guards: {
    allowed: 'a non-empty array of guards with canActivate: classes or objects',
    accepts: (value) => Array.isArray(value) && value.length > 0 && value.every(isGuard),
  },
  sourceUrl: option(sourceUrl, { variables: textFrom('PERFORMANCE_SOURCE_URL') }),
  maxStreams: option(whole(1, 1000), { default: 20 }),
  mcp: option(boolean, { default: true }),
};

function isGuard(value: unknown): boolean {
  // A class may define the method in its constructor. A function without a prototype is no class.
  if (typeof value === 'function') return value.prototype !== undefined;
  return isObject(value) && typeof value['canActivate'] === 'function';
}
