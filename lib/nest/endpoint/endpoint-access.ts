import { createHash, timingSafeEqual } from 'node:crypto';
import {
  type ExecutionContext,
  ForbiddenException,
  HttpException,
  HttpStatus,
  Inject,
  Injectable,
  type OnModuleInit,
} from '@nestjs/common';
import { ModuleRef, ModulesContainer } from '@nestjs/core';
import type { ResolvedOptions } from '../../monitor/options.js';
import { RESOLVED_OPTIONS } from '../tokens.js';
import type { OriginatedRequest } from './same-origin.js';
import { Sessions } from './session.js';
import { TokenBucket } from './token-bucket.js';
import { UserGuards } from './user-guards.js';

/** The part of a request that is used, for both frameworks. */
export interface EndpointRequest extends OriginatedRequest {
  readonly url: string;
  /** The full URL: Express strips the mount path from `url`. */
  readonly originalUrl?: string;
  readonly params?: Readonly<Record<string, string | undefined>>;
  readonly socket?: { readonly remoteAddress?: string };
}

const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;
/** Host names of this machine. Any other name may be a DNS rebinding attack by a web page. */
const LOCAL_HOST = /^(?:localhost|[\w-]+\.localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/i;
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'] as const;
const REFUSED =
  'Access denied: set one of the options endpoint.token, endpoint.authorize or endpoint.guards to grant access';
const TOKEN_WANTED = 'Missing or wrong token: send Authorization: Bearer TOKEN (option endpoint.token)';

/** Requests per second and burst, for all callers together. */
const WITHOUT_AUTHORITY = [20, 50] as const;
const WITH_AUTHORITY = [50, 300] as const;
const PAGE_FILES = [100, 300] as const;

/**
 * Authorizes requests to the endpoint by a session, the token, `authorize` or `guards`: the first check that grants access
 * wins. Without token, authorize and guards the endpoint answers callers on the loopback interface outside production,
 * and no one in production. Requests through a proxy or for another host name do not count as loopback.
 *
 * Attempts are rate limited for all callers together, in constant memory. Requests with a token have a limit of their
 * own, so that guessing tokens does not block callers authorized otherwise. Sessions are not limited.
 */
@Injectable()
export class EndpointAccess implements OnModuleInit {
  readonly enabled: boolean;
  /** Undefined without `endpoint.token`. */
  readonly sessions: Sessions | undefined;
  private readonly endpoint: ResolvedOptions['endpoint'];
  private readonly production: boolean;
  private guards: UserGuards | undefined;
  private globalGuards: UserGuards | undefined;
  private readonly guesses = new TokenBucket(...WITHOUT_AUTHORITY);
  private readonly strangers = new TokenBucket(...WITHOUT_AUTHORITY);
  private readonly served = new TokenBucket(...WITH_AUTHORITY);
  private readonly files = new TokenBucket(...PAGE_FILES);

  constructor(
    @Inject(RESOLVED_OPTIONS) { enabled, endpoint, production }: ResolvedOptions,
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
  ) {
    this.enabled = enabled && endpoint.enabled;
    this.endpoint = endpoint;
    this.production = production;
    this.sessions = endpoint.token === undefined ? undefined : new Sessions(endpoint.token);
  }

  async onModuleInit(): Promise<void> {
    const { guards = [] } = this.endpoint;
    if (!this.enabled) return;
    this.globalGuards = UserGuards.requestScoped(this.modules, this.moduleRef);
    if (guards.length > 0) this.guards = await UserGuards.resolve(guards, this.moduleRef);
  }

  /**
   * Runs the request-scoped global guards; Nest has run the others.
   * @throws ForbiddenException if a guard denies access; the error of a guard
   */
  async passGlobalGuards(execution: ExecutionContext): Promise<void> {
    if ((await this.globalGuards?.admit(execution)) === false) throw new ForbiddenException();
  }

  /** @throws HttpException if access is denied or attempts are exhausted; the error of a guard */
  async admit(execution: ExecutionContext, request: EndpointRequest): Promise<void> {
    if (await this.sessions?.holds(request.headers['cookie'] as string | undefined)) return;
    const attempts = bearerOf(request) === undefined ? this.strangers : this.guesses;
    if (!attempts.take()) throw tooMany('unauthorized requests');
    if (!(await this.hasAuthority(execution, request)))
      throw new ForbiddenException({
        statusCode: HttpStatus.FORBIDDEN,
        error: 'Forbidden',
        message: this.sessions === undefined ? REFUSED : TOKEN_WANTED,
        code: this.sessions === undefined ? 'forbidden' : 'token_required',
      });
    attempts.giveBack();
  }

  /** As {@link admit}, for the page itself. With a token the page is public, so that it can show the login. */
  async admitToPage(execution: ExecutionContext, request: EndpointRequest): Promise<void> {
    if (!this.files.take()) throw tooMany('requests for the page');
    if (this.sessions === undefined) await this.admit(execution, request);
  }

  /** @throws HttpException above the rate limit of authorized requests */
  meter(): void {
    if (!this.served.take()) throw tooMany('requests');
  }

  /** Whether the request contains the token in its `Authorization` header. */
  bearsToken(request: EndpointRequest): boolean {
    const { token } = this.endpoint;
    const given = bearerOf(request);
    // Compares digests, so that timing reveals neither the token nor its length.
    return token !== undefined && given !== undefined && timingSafeEqual(digest(given), digest(token));
  }

  private async hasAuthority(execution: ExecutionContext, request: EndpointRequest): Promise<boolean> {
    const { token, authorize } = this.endpoint;
    if (this.bearsToken(request)) return true;
    if (authorize !== undefined && (await authorize(request)) === true) return true;
    if (this.guards !== undefined) return this.guards.admit(execution);
    return token === undefined && authorize === undefined && !this.production && isLocal(request);
  }
}

function isLocal({ socket, headers }: EndpointRequest): boolean {
  return (
    LOOPBACK.test(socket?.remoteAddress ?? '') &&
    LOCAL_HOST.test(String(headers['host'] ?? 'localhost')) &&
    FORWARDED.every((header) => headers[header] === undefined)
  );
}

function bearerOf({ headers }: EndpointRequest): string | undefined {
  const [scheme, given] = String(headers['authorization'] ?? '').split(' ');
  return scheme?.toLowerCase() === 'bearer' ? given : undefined;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function tooMany(what: string): HttpException {
  return new HttpException(`Too many ${what}: retry in one second`, HttpStatus.TOO_MANY_REQUESTS);
}
