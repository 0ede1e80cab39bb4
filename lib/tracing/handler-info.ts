import { requestName } from '../spans/classify.js';

/** What a handler requires of a request besides its path. */
export interface HandlerVariant {
  readonly host?: string | undefined;
  readonly versions?: readonly string[];
}

/** A handler of the application, shared by all of its requests. */
export class HandlerInfo {
  private method: string | undefined;
  private route: string | undefined;
  private operation = '';

  constructor(
    /** `UsersController.findOne` */
    readonly name: string,
    /** The handler's own threshold in milliseconds. */
    readonly thresholdMs: number | undefined,
    /** What distinguishes it from other handlers of its path. */
    private readonly variant: HandlerVariant = {},
  ) {}

  /** The name of the operation. It is cached, because most handlers serve a single route. */
  operationName(method: string | undefined, route: string | undefined): string {
    if (method !== this.method || route !== this.route || this.operation === '') {
      this.operation = requestName(method, route && this.qualified(route));
      this.method = method;
      this.route = route;
    }
    return this.operation;
  }

  /** `admin.example.com/users`, and `/users (version 2)` unless the route has a segment for it. */
  private qualified(route: string): string {
    const { host = '', versions = [] } = this.variant;
    const isInRoute = route
      .split('/')
      .some((segment) => versions.some((version) => segment.endsWith(version)));
    const suffix = versions.length === 0 || isInRoute ? '' : ` (version ${versions.join(', ')})`;
    return `${host}${route}${suffix}`;
  }
}
