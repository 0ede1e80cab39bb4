import { types } from 'node:util';
import { ModulesContainer } from '@nestjs/core';
import { asOwnPause } from '../../async/own-pauses.js';
import { reasonOf } from '../../async/thrown.js';
import { positionsOf } from '../../code/function-positions.js';
import { isUserPosition } from '../../code/user-code.js';
import { MethodWrappers } from './method-wrappers.js';

type Origin = 'application' | 'package' | 'unknown';

/**
 * Whether classes are the application's own, by the script that defines them: V8 knows it for CommonJS and ECMAScript modules,
 * linked packages and classes that nobody exports. The cache of `require` knows no ECMAScript modules, and a module of Nest
 * may provide classes of others. A class from node_modules, from Node or from this package is no class of the application.
 * In a bundle that contains Nest or this package, a script does not separate them: the origin of its classes is unknown, and
 * only those that are named are measured.
 */
export class ClassOrigins {
  private readonly origins = new Map<object, Origin>();
  /** Why nothing is known. */
  readonly obstacle: string | undefined;

  /** @param prototypes of the classes, whose bases are included */
  constructor(prototypes: readonly object[]) {
    const owners = new Map<object, object>();
    for (const prototype of prototypes) addOwners(prototype, owners);
    try {
      const bundled = [ModulesContainer, MethodWrappers];
      const positions = asOwnPause(() => positionsOf([...bundled, ...owners.values()] as never));
      const bundles = new Set(positions.splice(0, bundled.length).map((position) => position?.url));
      [...owners.keys()].forEach((owner, index) => {
        const position = positions[index];
        const isOfUser = position !== undefined && isUserPosition(position);
        this.origins.set(
          owner,
          !isOfUser ? 'package' : bundles.has(position.url) ? 'unknown' : 'application',
        );
      });
    } catch (error) {
      this.obstacle = `where classes are defined is not known (${reasonOf(error)}). Give patterns of their names`;
    }
  }

  /** @param isNamed whether the application names the classes that it means */
  isOfApplication(prototype: object, isNamed: boolean): boolean {
    const origin = this.origins.get(prototype) ?? (this.obstacle === undefined ? 'package' : 'unknown');
    return origin === 'application' || (origin === 'unknown' && isNamed);
  }
}

/** Adds the prototypes of a class and its bases, each with its class. */
function addOwners(prototype: object, owners: Map<object, object>): void {
  for (
    let owner: object | null = prototype;
    owner !== null && owner !== Object.prototype && !types.isProxy(owner) && !owners.has(owner);
    owner = Object.getPrototypeOf(owner) as object | null
  ) {
    const type: unknown = Object.getOwnPropertyDescriptor(owner, 'constructor')?.value;
    if (typeof type === 'function' && !types.isProxy(type)) owners.set(owner, type);
  }
}
