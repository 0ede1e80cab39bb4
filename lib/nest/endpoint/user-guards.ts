import { type CanActivate, type ExecutionContext, Scope, type Type } from '@nestjs/common';
import {
  APP_GUARD,
  type ContextId,
  ContextIdFactory,
  type ModuleRef,
  type ModulesContainer,
} from '@nestjs/core';
import { isObservable, lastValueFrom } from 'rxjs';
import type { EndpointOptions } from '../../monitor/endpoint-options.js';

type GivenGuard = NonNullable<EndpointOptions['guards']>[number];
type Find = (request: object) => CanActivate | Promise<CanActivate>;

/** The application's own guards before the endpoint, in the order given: all must let a request pass, as on any route. */
export class UserGuards {
  private constructor(private readonly finds: readonly Find[]) {}

  /**
   * Finds the guards that are classes among the application's providers, and makes those that are not.
   * @throws what Nest throws where a guard needs what is not there
   */
  static async resolve(guards: readonly GivenGuard[], moduleRef: ModuleRef): Promise<UserGuards> {
    return new UserGuards(await Promise.all(guards.map((guard) => findOf(guard, moduleRef))));
  }

  /** The application's global guards that are made for each request. Nest runs them before the routes of its own router alone. */
  static requestScoped(modules: ModulesContainer, moduleRef: ModuleRef): UserGuards {
    const tokens = [...modules.values()].flatMap(({ injectables }) => [...injectables.keys()]);
    const global = tokens.filter((token): token is string => String(token).startsWith(`${APP_GUARD} `));
    return new UserGuards(global.map((token) => madeForRequest(token, moduleRef)));
  }

  /** @throws what a guard throws: it decides how it refuses */
  async admit(execution: ExecutionContext): Promise<boolean> {
    for (const find of this.finds) {
      const guard = await find(execution.switchToHttp().getRequest());
      const answer = guard.canActivate(execution);
      if ((await (isObservable(answer) ? lastValueFrom(answer) : answer)) !== true) return false;
    }
    return true;
  }
}

async function findOf(guard: GivenGuard, moduleRef: ModuleRef): Promise<Find> {
  if (typeof guard !== 'function') return () => guard as CanActivate;
  const type = guard as Type<CanActivate>;
  switch (scopeOf(type, moduleRef)) {
    case undefined: {
      const own = await moduleRef.create(type);
      return () => own;
    }
    case Scope.DEFAULT: {
      const shared = moduleRef.get<CanActivate>(type, { strict: false });
      return () => shared;
    }
    default:
      return madeForRequest(type, moduleRef);
  }
}

/** All guards of a request share what Nest makes for it. */
const contextIds = new WeakMap<object, ContextId>();

function madeForRequest(token: Type<CanActivate> | string, moduleRef: ModuleRef): Find {
  return (request) => {
    let id = contextIds.get(request);
    if (id === undefined) {
      id = ContextIdFactory.getByRequest(request);
      moduleRef.registerRequestByContextId(request, id);
      contextIds.set(request, id);
    }
    return moduleRef.resolve<CanActivate>(token, id, { strict: false });
  };
}

/** Nothing where it is no provider of the application. */
function scopeOf(type: Type<CanActivate>, moduleRef: ModuleRef): Scope | undefined {
  try {
    return moduleRef.introspect(type).scope;
  } catch {
    return undefined;
  }
}
