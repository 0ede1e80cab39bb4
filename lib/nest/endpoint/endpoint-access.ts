import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
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
import { type EndpointRequest, headerValues } from './endpoint-request.js';
import { GuessLimits } from './guess-limits.js';
import { isLocal } from './local-request.js';
import { Sessions } from './session.js';
import { TokenBucket } from './token-bucket.js';
import { UserGuards } from './user-guards.js';

/**
 * What grants access. `token`: the token, or a session begun with it. `custom`: `authorize` or `guards`. `local`: a caller
 * on this machine outside production.
 */
export type Authority = 'token' | 'custom' | 'local';

const REFUSED =
  'Access denied: set one of the options endpoint.token, endpoint.authorize or endpoint.guards to grant access';
const TOKEN_WANTED = 'Missing or wrong token: send Authorization: Bearer TOKEN (option endpoint.token)';
const SESSION_WANTED = 'Missing session: send POST to session below this path, and return its cookie';
const SNAPSHOT_WANTS_TOKEN =
  'Heap snapshots contain the memory of the process and require the token: set the option endpoint.token, and send Authorization: Bearer TOKEN';

/** Requests per second and burst, for all callers with access together. */
const WITH_AUTHORITY = [50, 300] as const;
/** One scheme, one space and one token, with nothing after it (RFC 6750). */
const BEARER = /^bearer ([\x21-\x7e]+)$/i;

/**
 * Authorizes requests to the endpoint by a session, the token, `authorize` or `guards`: the first check that grants access
 * wins. Without token, authorize and guards the endpoint answers callers on this machine outside production, and no one in
 * production. Requests through a proxy or for another host name do not count as local.
 *
 * Failed attempts are rate limited by address, in constant memory. They never limit a caller who has access: every request
 * is checked first.
 */
@Injectable()
export class EndpointAccess implements OnModuleInit {
  readonly enabled: boolean;
  /** Sessions begun with the token. Undefined without `endpoint.token`. */
  readonly sessions: Sessions | undefined;
  /** Sessions of callers on this machine, valid in this process. Undefined if local callers have no access. */
  private readonly localSessions: Sessions | undefined;
  private readonly endpoint: ResolvedOptions['endpoint'];
  private guards: UserGuards | undefined;
  private globalGuards: UserGuards | undefined;
  private readonly guesses = new GuessLimits();
  private readonly served = new TokenBucket(...WITH_AUTHORITY);

  constructor(
    @Inject(RESOLVED_OPTIONS) { enabled, endpoint, production }: ResolvedOptions,
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
  ) {
    const { token, authorize, guards } = endpoint;
    this.enabled = enabled && endpoint.enabled;
    this.endpoint = endpoint;
    this.sessions = token === undefined ? undefined : new Sessions(token);
    const admitsLocal = !production && token === undefined && authorize === undefined && guards === undefined;
    this.localSessions = admitsLocal ? new Sessions(randomBytes(32).toString('base64url')) : undefined;
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

  /** @throws HttpException if access is denied; the error of a guard; 429 for a guesser above its limit */
  async admit(execution: ExecutionContext, request: EndpointRequest): Promise<Authority> {
    let refusal: unknown;
    try {
      const authority = await this.authorityOf(execution, request);
      if (authority !== undefined) return authority;
      refusal = this.sessions === undefined ? denied(REFUSED) : denied(TOKEN_WANTED, 'token_required');
    } catch (error) {
      refusal = error;
    }
    if (this.guesses.fail(request.socket?.remoteAddress ?? '')) throw refusal;
    throw tooMany('unauthorized requests', this.sessions === undefined ? undefined : 'token_required');
  }

  /**
   * As {@link admit}, for the page itself. With a token the page is public, so that it can show the login. It is not
   * limited, as otherwise strangers could keep the login from others.
   */
  async admitToPage(execution: ExecutionContext, request: EndpointRequest): Promise<void> {
    if (this.sessions === undefined) await this.admit(execution, request);
  }

  /**
   * Requires more than being on this machine, for what starts or resets something: a session, which a page of another
   * origin does not have.
   * @throws ForbiddenException for a local caller without a session
   */
  async requireSession(authority: Authority, request: EndpointRequest): Promise<void> {
    if (authority !== 'local' || (await this.localSessions?.holds(cookiesOf(request)))) return;
    throw denied(SESSION_WANTED, 'session_required');
  }

  /** @throws ForbiddenException without the token, or a session begun with it */
  async requireTokenForSnapshot(request: EndpointRequest): Promise<void> {
    if (!(await this.provesToken(request))) throw denied(SNAPSHOT_WANTS_TOKEN, 'token_required');
  }

  /** The value of a session for a caller on this machine; undefined for any other caller. */
  async beginLocalSession(request: EndpointRequest): Promise<string | undefined> {
    return this.isOpenTo(request) ? this.localSessions?.issue() : undefined;
  }

  /** Whether this caller has access because it is on this machine. */
  isOpenTo(request: EndpointRequest): boolean {
    return this.localSessions !== undefined && isLocal(request);
  }

  /** @throws HttpException above the rate limit of authorized requests */
  meter(): void {
    if (!this.served.take()) throw tooMany('requests');
  }

  /** Whether the request contains the token in its only `Authorization` header. */
  bearsToken(request: EndpointRequest): boolean {
    const { token } = this.endpoint;
    const given = bearerOf(request);
    // Compares digests, so that timing reveals neither the token nor its length.
    return token !== undefined && given !== undefined && timingSafeEqual(digest(given), digest(token));
  }

  private async provesToken(request: EndpointRequest): Promise<boolean> {
    return this.bearsToken(request) || (await this.sessions?.holds(cookiesOf(request))) === true;
  }

  private async authorityOf(
    execution: ExecutionContext,
    request: EndpointRequest,
  ): Promise<Authority | undefined> {
    const { authorize } = this.endpoint;
    if (await this.provesToken(request)) return 'token';
    if (authorize !== undefined && (await authorize(request)) === true) return 'custom';
    if (this.guards !== undefined) return (await this.guards.admit(execution)) ? 'custom' : undefined;
    return this.isOpenTo(request) ? 'local' : undefined;
  }
}

function bearerOf(request: EndpointRequest): string | undefined {
  const [given, ...others] = headerValues(request, 'authorization');
  return others.length === 0 ? BEARER.exec(given ?? '')?.[1] : undefined;
}

function cookiesOf({ headers }: EndpointRequest): string | undefined {
  const cookies = headers['cookie'];
  return cookies === undefined ? undefined : String(cookies);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function denied(message: string, code = 'forbidden'): ForbiddenException {
  return new ForbiddenException({ statusCode: HttpStatus.FORBIDDEN, error: 'Forbidden', message, code });
}

function tooMany(what: string, code?: string): HttpException {
  const message = `Too many ${what}: retry in one second`;
  const body = { statusCode: HttpStatus.TOO_MANY_REQUESTS, message, ...(code !== undefined && { code }) };
  return new HttpException(body, HttpStatus.TOO_MANY_REQUESTS);
}
