import { types } from 'node:util';
import type { ModulesContainer } from '@nestjs/core';

/** A provider or controller in Nest's container. */
export type Wrapper = ReturnType<NonNullable<ReturnType<ModulesContainer['get']>>['getProviderByKey']>;

/** The prototype of the instances of a provider, as far as it is known before they exist. */
export function prototypeOf({ metatype, inject, instance, isAlias }: Wrapper): object | undefined {
  if (isAlias) return undefined;
  const isClass = typeof metatype === 'function' && inject === undefined;
  const prototype: unknown = isClass
    ? metatype.prototype
    : typeof instance === 'object' && instance !== null && !types.isProxy(instance)
      ? Object.getPrototypeOf(instance)
      : undefined;
  return typeof prototype === 'object' && prototype !== null && prototype !== Object.prototype
    ? prototype
    : undefined;
}
