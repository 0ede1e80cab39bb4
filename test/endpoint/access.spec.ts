import { request } from 'node:http';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  Module,
  Scope,
  UnauthorizedException,
} from '@nestjs/common';
import { APP_GUARD, REQUEST } from '@nestjs/core';
import { of } from 'rxjs';
import { EndpointGuard, RouteKind } from '../../lib/nest/endpoint/endpoint.guard.js';
import { EndpointControllers } from '../../lib/nest/endpoint/endpoint-controllers.js';
import { routesOf as endpointRoutesOf } from '../../lib/nest/endpoint/endpoint-routes.js';
import { SESSION_COOKIE, SESSION_MS, Sessions } from '../../lib/nest/endpoint/session.js';
import { TokenBucket } from '../../lib/nest/endpoint/token-bucket.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import { PLATFORMS, startApplication, type TestApplication } from '../support/application.js';
import { stopBuckets } from './stopped-buckets.js';

const TOKEN = 'sixteen-characters';
const bearer = { authorization: `Bearer ${TOKEN}` };

interface Route {
  readonly handler: string;
  readonly method: string;
  readonly path: string;
  readonly kind: string | undefined;
  readonly isGuarded: boolean;
}

/** Every route of the endpoint's controllers. */
function routesOf({ app }: TestApplication): Route[] {
  const { types } = app.get(EndpointControllers, { strict: false });
  return types.flatMap((controller) => {
    const guards: unknown[] = Reflect.getMetadata('__guards__', controller) ?? [];
    return endpointRoutesOf(controller).map(({ method, path, handler, name }) => ({
      handler: `${controller.name}.${name}`,
      method,
      path: path.replace(/:\w+/g, 'app.js'),
      kind: Reflect.getMetadata(RouteKind.KEY, handler),
      isGuarded: guards.some((guard) => guard instanceof EndpointGuard),
    }));
  });
}

class Refusing implements CanActivate {
  canActivate(): boolean {
    throw new UnauthorizedException('Say who you are');
  }
}

@Injectable()
class Teams {
  mayEnter(team: unknown): boolean {
    return team === 'store';
  }
}

@Injectable()
class TeamGuard implements CanActivate {
  constructor(private readonly teams: Teams) {}
  async canActivate(execution: ExecutionContext): Promise<boolean> {
    return this.teams.mayEnter(execution.switchToHttp().getRequest().headers['x-team']);
  }
}

@Injectable({ scope: Scope.REQUEST })
class RequestGuard implements CanActivate {
  constructor(@Inject(REQUEST) private readonly request: { headers: Record<string, string> }) {}
  canActivate(): boolean {
    return this.request.headers['x-team'] === 'store';
  }
}

/** A module with guards of the application. */
@Module({ providers: [Teams, TeamGuard, RequestGuard] })
class TeamsModule {}

const allowing = { canActivate: () => of(true) };

describe.each(PLATFORMS)('access to the endpoint on %s', (platform) => {
  let application: TestApplication | undefined;
  const { NODE_ENV } = process.env;
  afterEach(async () => {
    jest.restoreAllMocks();
    process.env['NODE_ENV'] = NODE_ENV;
    await application?.app.close();
    application = undefined;
  });

  const start = async (
    endpoint: PerformanceOptions['endpoint'],
    production = true,
  ): Promise<TestApplication> => {
    if (production) process.env['NODE_ENV'] = 'production';
    application = await startApplication(
      platform,
      { imports: [TeamsModule] },
      { endpoint, baseline: { enabled: false } },
    );
    return application;
  };
  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
    fetch(`${application?.url}/performance${path}`, { method, headers });
  /** Sends exactly these headers, as `fetch` adds its own. Closes a stream at once. */
  const status = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    new Promise<number | undefined>((resolve, reject) => {
      request(`${application?.url}/performance${path}`, { method, headers, agent: false }, (response) => {
        response.destroy();
        resolve(response.statusCode);
      })
        .once('error', reject)
        .end();
    });
  const login = async (headers: Record<string, string> = {}): Promise<string> => {
    const response = await ask('/login', { ...bearer, ...headers }, 'POST');
    expect(response.status).toBe(204);
    return response.headers.get('set-cookie') ?? '';
  };

  it('is guarded on every route, and closed in production', async () => {
    const routes = routesOf(await start({}));
    expect(routes.length).toBeGreaterThan(17);
    for (const { handler, method, path, isGuarded } of routes) {
      const response = await fetch(`${application?.url}${path}`, { method });
      const { headers } = response;
      expect([
        handler,
        isGuarded,
        response.status,
        headers.get('cache-control'),
        headers.get('x-content-type-options'),
      ]).toEqual([handler, true, 403, 'no-store', 'nosniff']);
    }
  });

  it('requires the token on every route but the page', async () => {
    const routes = routesOf(await start({ token: TOKEN }));
    expect(routes.filter(({ kind }) => kind === 'page').map(({ handler }) => handler)).toEqual([
      'PageController.page',
      'PageController.file',
    ]);
    for (const { handler, method, path, kind } of routes) {
      const response = await fetch(`${application?.url}${path}`, { method });
      if (kind === 'page')
        expect([handler, response.status < 405 && response.status !== 403]).toEqual([handler, true]);
      else
        expect([handler, response.status, await response.json()]).toEqual([
          handler,
          403,
          expect.objectContaining({ code: 'token_required' }),
        ]);
    }
  });

  it('rejects cross-origin requests of browsers, except for followed links', async () => {
    const routes = routesOf(await start({ token: TOKEN, authorize: () => true }));
    const cookie = (await login()).split(';')[0] ?? '';
    const foreigners: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
    ];
    for (const foreign of foreigners)
      for (const { method, path, kind, handler } of routes) {
        if (kind === 'page') continue;
        for (const authority of [bearer, { cookie }, {}] as Record<string, string>[])
          expect([
            handler,
            await status(path.slice('/performance'.length), { ...foreign, ...authority }, method),
          ]).toEqual([handler, 403]);
      }
    const link = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    };
    expect(await status('/report.html', link)).toBe(200);
    expect(await status('/report.html', { ...link, 'sec-fetch-dest': 'iframe' })).toBe(403);
    expect(await status('/stats', link, 'DELETE')).toBe(403);
    // A proxy may have changed the host after the browser's check.
    const behind = { origin: 'https://shop.example', 'sec-fetch-site': 'same-origin' };
    expect(await status('/stats', behind, 'DELETE')).toBe(204);
  });

  it('is granted by guards of the application', async () => {
    for (const guards of [[TeamGuard], [RequestGuard], [allowing, TeamGuard]]) {
      await start({ guards });
      for (const path of ['/stats', '/stream', '/profiles', '/'])
        expect([await status(path, { 'x-team': 'store' }), await status(path)]).toEqual([200, 403]);
      await application?.app.close();
    }
  });

  it('is denied with the error of a guard, which need not be a provider', async () => {
    await start({ guards: [allowing, Refusing] });
    const response = await ask('/stats');
    expect([response.status, await response.text()]).toEqual([
      401,
      expect.stringContaining('Say who you are'),
    ]);
  });

  it('checks token, function and guards in this order until one grants access', async () => {
    const asked: string[] = [];
    await start({
      token: TOKEN,
      authorize: (request) => {
        asked.push('authorize');
        return (request as { headers: Record<string, string> }).headers['x-team'] === 'ops';
      },
      guards: [
        {
          canActivate: () => {
            asked.push('guard');
            return Promise.resolve(true);
          },
        },
      ],
    });
    expect(await status('/stats', bearer)).toBe(200);
    expect(asked).toEqual([]);
    expect(await status('/stats', { 'x-team': 'ops' })).toBe(200);
    expect(asked).toEqual(['authorize']);
    expect(await status('/stats')).toBe(200);
    expect(asked).toEqual(['authorize', 'authorize', 'guard']);
  });

  it.each([
    ['one', Scope.DEFAULT],
    ['one that is made for each request', Scope.REQUEST],
  ])('is subject to global guards of the application, %s', async (_which, scope) => {
    @Injectable()
    class SignedIn implements CanActivate {
      canActivate(execution: ExecutionContext): boolean {
        const { headers } = execution.switchToHttp().getRequest();
        if (headers['x-user'] === 'nobody') throw new UnauthorizedException('Say who you are');
        return headers['x-user'] !== undefined;
      }
    }
    @Module({ providers: [{ provide: APP_GUARD, useClass: SignedIn, scope }] })
    class SignInModule {}
    application = await startApplication(platform, { imports: [SignInModule] }, {});
    for (const path of ['/stats', '/stream', '', '/ui/app.js'])
      expect([await status(path, { 'x-user': 'me' }), await status(path)]).toEqual([200, 403]);
    expect(await status('/stats', { 'x-user': 'nobody' })).toBe(401);
    expect(await status('/stats', { 'x-user': 'nobody' }, 'DELETE')).toBe(401);
  });

  it('shares request-scoped providers between request-scoped global guards', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Visitor {
      name: string | undefined;
    }
    @Injectable()
    class Naming implements CanActivate {
      constructor(@Inject(Visitor) private readonly visitor: Visitor) {}
      canActivate(execution: ExecutionContext): boolean {
        this.visitor.name = execution.switchToHttp().getRequest().headers['x-user'];
        return true;
      }
    }
    @Injectable()
    class Knowing implements CanActivate {
      constructor(@Inject(Visitor) private readonly visitor: Visitor) {}
      canActivate(): boolean {
        return this.visitor.name === 'me';
      }
    }
    @Module({
      providers: [
        Visitor,
        { provide: APP_GUARD, useClass: Naming, scope: Scope.REQUEST },
        { provide: APP_GUARD, useClass: Knowing, scope: Scope.REQUEST },
      ],
    })
    class VisitorsModule {}
    application = await startApplication(platform, { imports: [VisitorsModule] }, {});
    expect([await status('/stats', { 'x-user': 'me' }), await status('/stats', { 'x-user': 'you' })]).toEqual(
      [200, 403],
    );
  });

  it('is denied with the status of an error', async () => {
    const refusing = {
      canActivate: () => {
        throw Object.assign(new Error('No token'), { statusCode: 401 });
      },
    };
    await start({ guards: [refusing] });
    const response = await ask('/stats');
    expect([response.status, await response.json()]).toEqual([401, { statusCode: 401, message: 'No token' }]);
    expect(application?.logged.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('aborts the start of the application if a guard lacks a dependency', async () => {
    @Injectable()
    class Lost implements CanActivate {
      constructor(readonly missing: RegExp) {}
      canActivate = (): boolean => true;
    }
    await expect(start({ guards: [Lost] })).rejects.toThrow(/Lost/);
  });

  it('is granted by a session for streams and downloads', async () => {
    await start({ token: TOKEN });
    const set = await login();
    expect(set).toMatch(
      new RegExp(`^${SESSION_COOKIE}=\\w+\\.[\\w-]{43}; Max-Age=43200; HttpOnly; SameSite=Strict$`),
    );
    expect(set).not.toContain(TOKEN);
    expect(await login({ origin: `https://${new URL(application?.url ?? '').host}` })).toMatch(/; Secure$/);
    expect(await login({ 'x-forwarded-proto': 'https' })).toMatch(/; Secure$/);
    const cookie = `theme=dark; ${set.split(';')[0]}`;
    for (const path of ['/stats', '/stream', '/overview', '/profiles'])
      expect([path, await status(path, { cookie }), await status(path)]).toEqual([path, 200, 403]);
    for (const wrong of [
      cookie.slice(0, -1),
      `${cookie.slice(0, -1)}${cookie.endsWith('A') ? 'B' : 'A'}`,
      `${SESSION_COOKIE}=`,
    ])
      expect(await status('/stats', { cookie: wrong })).toBe(403);
    // A session must not extend itself, or it would never expire.
    expect(await status('/login', { cookie }, 'POST')).toBe(403);
    expect(await status('/login', {}, 'POST')).toBe(403);
    expect(await status('/login', { authorization: 'Bearer sixteen-characterS' }, 'POST')).toBe(403);
    expect(await status('/login', bearer, 'GET')).toBe(404);
  });

  it('has no login without a token', async () => {
    await start({}, false);
    expect(await status('/login', {}, 'POST')).toBe(404);
  });

  it('limits unauthorized requests without affecting those with a token', async () => {
    let asked = 0;
    await start({
      token: TOKEN,
      authorize: () => {
        asked++;
        return false;
      },
    });
    const cookie = (await login()).split(';')[0] ?? '';
    stopBuckets();
    const statuses = await Promise.all(Array.from({ length: 150 }, () => ask('/stats')));
    const refused = statuses.filter((response) => response.status === 429);
    expect(refused).toHaveLength(100);
    expect(refused.every(({ headers }) => headers.get('retry-after') === '1')).toBe(true);
    // Who has access may be known only to the function.
    expect(asked).toBe(150);
    expect([await status('/stats', bearer), await status('/stats', { cookie })]).toEqual([200, 200]);
  });

  it('limits wrong tokens without affecting sessions and the function', async () => {
    await start({
      token: TOKEN,
      authorize: (request) => (request as { headers: Record<string, string> }).headers['x-team'] === 'ops',
    });
    const cookie = (await login()).split(';')[0] ?? '';
    stopBuckets();
    const guesses = await Promise.all(
      Array.from({ length: 150 }, (_, i) =>
        status('/stats', { authorization: `Bearer sixteen-character${i}` }),
      ),
    );
    expect(guesses.filter((one) => one === 429)).toHaveLength(100);
    expect([await status('/stats', { cookie }), await status('/stats', { 'x-team': 'ops' })]).toEqual([
      200, 200,
    ]);
  });

  it('limits authorized requests', async () => {
    await start({}, false);
    stopBuckets();
    const statuses: (number | undefined)[] = [];
    for (let wave = 0; wave < 4; wave++)
      statuses.push(...(await Promise.all(Array.from({ length: 100 }, () => status('/stats')))));
    expect([200, 429].map((code) => statuses.filter((one) => one === code).length)).toEqual([300, 100]);
  });
});

describe('a session', () => {
  it('expires, and is valid for every instance with the token', async () => {
    const cookie = `a=b; ${SESSION_COOKIE}=${await new Sessions(TOKEN).issue(1000)}; c=d`;
    const other = new Sessions(TOKEN);
    expect(await other.holds(cookie, 1000 + SESSION_MS - 1)).toBe(true);
    expect(await other.holds(cookie, 1000 + SESSION_MS)).toBe(false);
    expect(await new Sessions(`${TOKEN}!`).holds(cookie, 1001)).toBe(false);
  });

  it('cannot be extended by its owner', async () => {
    const sessions = new Sessions(TOKEN);
    const [end = '', signature = ''] = (await sessions.issue(1000)).split('.');
    for (const value of [
      `${end}0.${signature}`,
      `zzzzzzzzzzz.${signature}`,
      `.${signature}`,
      end,
      '',
      `${end}.`,
    ])
      expect(await sessions.holds(`${SESSION_COOKIE}=${value}`, 1001)).toBe(false);
    expect(await sessions.holds(undefined, 1001)).toBe(false);
  });
});

describe('a token bucket', () => {
  it('allows its burst, then its rate, and returned tokens', () => {
    const start = Math.ceil(performance.now());
    const bucket = new TokenBucket(20, 50);
    const taken = (at: number): number => {
      let count = 0;
      while (bucket.take(start + at)) count++;
      return count;
    };
    expect(taken(1000)).toBe(50);
    expect(taken(2000)).toBe(20);
    expect(taken(2049)).toBe(0);
    expect(taken(2051)).toBe(1);
    expect(taken(1_000_000)).toBe(50);
    bucket.giveBack();
    expect(taken(1_000_000)).toBe(1);
  });
});
