import { types } from 'node:util';
import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { reasonOf } from '../../async/thrown.js';
import { ProviderPatterns } from '../../monitor/provider-patterns.js';
import { slowThresholdOf } from '../decorators/slow-threshold.decorator.js';
import { isTracked } from '../decorators/track-performance.decorator.js';
import { TrackedOperation } from '../decorators/tracked-operation.js';
import type { ResolvedModuleOptions } from '../module-options.js';
import { RESOLVED_OPTIONS } from '../tokens.js';
import { ClassOrigins } from './class-origins.js';
import { handlersOf } from './handler-metadata.js';
import { MethodWrappers } from './method-wrappers.js';
import { ProviderMethod } from './provider-method.js';
import { prototypeOf, type Wrapper } from './provider-prototype.js';

/** Nest calls them when the application starts and ends; and what the language calls by itself. */
const NOT_MEASURED = new Set([
  'constructor',
  'onModuleInit',
  'onApplicationBootstrap',
  'onModuleDestroy',
  'beforeApplicationShutdown',
  'onApplicationShutdown',
  'then',
  'toJSON',
  'toString',
  'valueOf',
]);

/** Measures the methods of the application's own providers and controllers without decorators: `tracing.providers`. */
@Injectable()
export class ProviderWrapping implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('PerformanceModule');
  private readonly methods = new MethodWrappers();
  private measured = 0;
  private hasWarned = false;

  constructor(
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedModuleOptions,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
  ) {}

  /** The providers that factories made have instances only now. */
  onModuleInit(): void {
    const { enabled, tracing } = this.options;
    const { providers } = tracing;
    if (!enabled || providers === false || (providers !== true && providers.length === 0)) return;
    this.attempt(undefined, () => this.wrapAll(providers));
  }

  onApplicationShutdown(): void {
    this.methods.restore();
  }

  private wrapAll(providers: true | readonly string[]): void {
    const prototypes = this.prototypes();
    const origins = new ClassOrigins([...prototypes.keys()]);
    const patterns = providers === true ? undefined : new ProviderPatterns(providers);
    const most = Math.floor(this.options.detection.maxOperations / 2);
    for (const [prototype, isController] of prototypes) {
      const names = this.attempt(prototype, () =>
        this.methodsOf(prototype, isController, origins, patterns !== undefined),
      );
      for (const [name, className] of names ?? []) {
        if (patterns?.select(className, name) === false) continue;
        // Names without limit would leave none for requests.
        if (this.measured >= most) {
          this.logger.warn(
            `tracing.providers measures the first ${most} methods, half of detection.maxOperations. Give patterns, or a higher limit.`,
          );
          return;
        }
        this.methods.add(prototype, name, (method) => this.handlerOf(className, name, method, prototype));
      }
    }
    if (this.measured > 0) this.logger.debug(`Measured methods of providers: ${this.measured}`);
    else this.warnOfNone(origins, providers);
  }

  /** A provider may be any value, such as a proxy that throws. The application starts in any case. */
  private attempt<T>(of: object | undefined, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!this.hasWarned) {
        const which = of === undefined ? 'providers' : 'a provider';
        this.logger.warn(`Methods of ${which} are not measured: ${reasonOf(error)}`);
      }
      this.hasWarned = true;
      return undefined;
    }
  }

  private handlerOf(
    className: string,
    name: string,
    method: object,
    prototype: object,
  ): ProviderMethod | undefined {
    if (isTracked(method)) return undefined;
    this.measured++;
    const thresholdMs = slowThresholdOf(method, prototype.constructor);
    return new ProviderMethod(TrackedOperation.ofHandler('internal', `${className}.${name}`, thresholdMs));
  }

  /** By prototype: whether it is a controller's. Those of this package are not the application's, wherever its files are. */
  private prototypes(): Map<object, boolean> {
    const found = new Map<object, boolean>();
    for (const module of this.modules.values()) {
      if (module.providers.has(ProviderWrapping)) continue;
      const add = (wrapper: Wrapper, isController: boolean): void => {
        // A module is a provider of itself.
        const isModule = wrapper.metatype === module.metatype;
        const prototype = isModule ? undefined : this.attempt(wrapper, () => prototypeOf(wrapper));
        if (prototype !== undefined) found.set(prototype, isController || found.get(prototype) === true);
      };
      for (const wrapper of module.controllers.values()) add(wrapper, true);
      for (const wrapper of module.providers.values()) add(wrapper as Wrapper, false);
    }
    return found;
  }

  /** The methods that the classes of the application define, and that are no handlers, with the name of the class. */
  private methodsOf(
    prototype: object,
    isController: boolean,
    origins: ClassOrigins,
    isNamed: boolean,
  ): Map<string, string> {
    const names = new Map<string, string>();
    const type: unknown = prototype.constructor;
    if (typeof type !== 'function') return names;
    const className = String(type.name);
    const handlers = handlersOf(prototype, isController);
    const seen = new Set(NOT_MEASURED);
    for (
      let owner: object | null = prototype;
      owner !== null && owner !== Object.prototype && !types.isProxy(owner);
      owner = Object.getPrototypeOf(owner) as object | null
    ) {
      const isMeasured = origins.isOfApplication(owner, isNamed);
      for (const name of Object.getOwnPropertyNames(owner)) {
        if (seen.has(name)) continue;
        seen.add(name);
        const value: unknown = Object.getOwnPropertyDescriptor(owner, name)?.value;
        if (isMeasured && isMethod(value) && !handlers.has(name)) names.set(name, className);
      }
    }
    return names;
  }

  private warnOfNone({ obstacle }: ClassOrigins, providers: true | readonly string[]): void {
    const reason =
      providers === true
        ? (obstacle ?? 'no provider is of the application. In a bundle, give patterns of their names')
        : `no method of the application matches ${providers.join(', ')}`;
    this.logger.warn(`tracing.providers measures nothing: ${reason}.`);
  }
}

/** Whether a value is a function and no class. Runs no code of it. */
function isMethod(value: unknown): boolean {
  if (typeof value !== 'function' || types.isProxy(value)) return false;
  const prototype = Object.getOwnPropertyDescriptor(value, 'prototype');
  return prototype === undefined || prototype.writable === true;
}
