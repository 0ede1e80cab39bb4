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

/** What is looked at of a request of either framework. */
export interface EndpointRequest extends OriginatedRequest {
  readonly url: string;
  /** Express cuts `url` below a mount. */
  readonly originalUrl?: string;
  readonly params?: Readonly<Record<string, string | undefined>>;
  readonly socket?: { readonly remoteAddress?: string };
}

const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;
/** What a browser calls this machine. Any other name may have been pointed here by a page that wants to look in. */
const LOCAL_HOST = /^(?:localhost|[\w-]+\.localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/i;
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'] as const;
const REFUSED =
  'Not allowed to see /performance: see the options endpoint.token, endpoint.authorize and endpoint.guards';
const TOKEN_WANTED =
  'The token is missing or wrong: give it as Authorization: Bearer TOKEN (option endpoint.token)';

/** Requests a second, and at once, of all callers together. */
const WITHOUT_AUTHORITY = [20, 50] as const;
const WITH_AUTHORITY = [50, 300] as const;
const PAGE_FILES = [100, 300] as const;

/**
 * Who may see the endpoint: whoever has the token or a session that was begun with it, whom `authorize` lets in, or
 * whom all the `guards` let in, asked in this order; without any of the three, callers on the loopback interface
 * outside production, and nobody in production. A request that came through a proxy is not one from the loopback
 * interface, and neither is one for a host of another name.
 *
 * Attempts are limited for all callers together, which takes no memory. Those that bear a token are counted apart: who
 * guesses tokens keeps out others with a token, and not those whom `authorize` lets in; and a session lets in always.
 */
@Injectable()
export class EndpointAccess implements OnModuleInit {
  readonly enabled: boolean;
  /** Absent without a token. */
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
   * Nest has asked the other global guards by then.
   * @throws ForbiddenException where a global guard of the application refuses, and what it throws
   */
  async passGlobalGuards(execution: ExecutionContext): Promise<void> {
    if ((await this.globalGuards?.admit(execution)) === false) throw new ForbiddenException();
  }

  /** @throws an HttpException that says why a request may not see what the endpoint tells, and what a guard throws */
  async admit(execution: ExecutionContext, request: EndpointRequest): Promise<void> {
    if (await this.sessions?.holds(request.headers['cookie'] as string | undefined)) return;
    const attempts = bearerOf(request) === undefined ? this.strangers : this.guesses;
    if (!attempts.take()) throw tooMany('without authority');
    if (!(await this.hasAuthority(execution, request)))
      throw new ForbiddenException({
        statusCode: HttpStatus.FORBIDDEN,
        error: 'Forbidden',
        message: this.sessions === undefined ? REFUSED : TOKEN_WANTED,
        code: this.sessions === undefined ? 'forbidden' : 'token_required',
      });
    attempts.giveBack();
  }

  /** As {@link admit}, for the page itself: where a token lets in, a browser must be able to ask for it. */
  async admitToPage(execution: ExecutionContext, request: EndpointRequest): Promise<void> {
    if (!this.files.take()) throw tooMany('of the page');
    if (this.sessions === undefined) await this.admit(execution, request);
  }

  /** @throws an HttpException where those who may see it ask too much */
  meter(): void {
    if (!this.served.take()) throw tooMany('');
  }

  /** Whether the request gives the token itself. */
  bearsToken(request: EndpointRequest): boolean {
    const { token } = this.endpoint;
    const given = bearerOf(request);
    // Digests, so that neither the time it takes nor the length tells anything of the token.
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

function tooMany(which: string): HttpException {
  return new HttpException(
    `Too many requests ${which}`.trimEnd().concat(': try again in a second'),
    HttpStatus.TOO_MANY_REQUESTS,
  );
}
