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

/** The application's guards of the endpoint, in order. All must grant access, as on any route. */
export class UserGuards {
  private constructor(private readonly finds: readonly Find[]) {}

  /**
   * Resolves guard classes from the application's providers, or instantiates them.
   * @throws the error of Nest for a missing dependency of a guard
   */
  static async resolve(guards: readonly GivenGuard[], moduleRef: ModuleRef): Promise<UserGuards> {
    return new UserGuards(await Promise.all(guards.map((guard) => findOf(guard, moduleRef))));
  }

  /** The application's request-scoped global guards, which Nest runs for routes of its own router only. */
  static requestScoped(modules: ModulesContainer, moduleRef: ModuleRef): UserGuards {
    const tokens = [...modules.values()].flatMap(({ injectables }) => [...injectables.keys()]);
    const global = tokens.filter((token): token is string => String(token).startsWith(`${APP_GUARD} `));
    return new UserGuards(global.map((token) => madeForRequest(token, moduleRef)));
  }

  /** @throws the error of a guard, which determines the response */
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

/** The guards of a request share its request-scoped providers. */
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

/** Undefined if the class is not a provider of the application. */
function scopeOf(type: Type<CanActivate>, moduleRef: ModuleRef): Scope | undefined {
  try {
    return moduleRef.introspect(type).scope;
  } catch {
    return undefined;
  }
}
