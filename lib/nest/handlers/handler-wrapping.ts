import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { reasonOf } from '../../async/thrown.js';
import type { ResolvedModuleOptions } from '../module-options.js';
import { RESOLVED_OPTIONS } from '../tokens.js';
import { handlerFor } from './handler-for.js';
import { handlersOf } from './handler-metadata.js';
import { addedJob, addedJobs, watchQueue } from './job-origin.js';
import { MethodWrappers } from './method-wrappers.js';
import { prototypeOf, type Wrapper } from './provider-prototype.js';
import { asCronJobs, type CronJobs } from './schedule-times.js';

/**
 * Measures each handler of the application: routes, resolvers, messages, jobs, schedules, events and commands. It wraps their
 * methods while the providers are created, before Nest and its packages look for handlers. Jobs keep what added them.
 */
@Injectable()
export class HandlerWrapping implements OnModuleInit, OnApplicationShutdown {
  private readonly methods = new MethodWrappers();
  private hasWarned = false;

  constructor(
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedModuleOptions,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
  ) {
    this.wrapAll();
  }

  /** Providers that factories made have instances only now. */
  onModuleInit(): void {
    this.wrapAll();
  }

  onApplicationShutdown(): void {
    this.methods.restore();
  }

  /** The registry of @nestjs/schedule, if the application imports it. */
  private readonly cronJobs = (): CronJobs | undefined => {
    for (const module of this.modules.values())
      for (const { name, instance } of module.providers.values())
        if (name === 'SchedulerRegistry') return asCronJobs(instance);
    return undefined;
  };

  private wrapAll(): void {
    if (!this.options.enabled) return;
    for (const module of this.modules.values()) {
      for (const wrapper of module.controllers.values()) this.wrap(wrapper, true);
      for (const wrapper of module.providers.values()) this.wrap(wrapper as Wrapper, false);
    }
  }

  private wrap(wrapper: Wrapper, isController: boolean): void {
    try {
      const prototype = prototypeOf(wrapper);
      if (prototype === undefined) return;
      for (const [name, handled] of handlersOf(prototype, isController))
        this.methods.add(prototype, name, (method) =>
          handlerFor(prototype.constructor, name, method, handled, this.cronJobs),
        );
      const queue = this.options.tracing.instrumentation ? watchQueue(wrapper.instance) : undefined;
      if (queue === undefined) return;
      this.methods.add(queue, 'add', () => addedJob, true);
      this.methods.add(queue, 'addBulk', () => addedJobs, true);
    } catch (error) {
      // A class may be any value. The application starts in any case.
      if (this.hasWarned) return;
      this.hasWarned = true;
      new Logger('PerformanceModule').warn(
        `Handlers of ${String(wrapper.name)} are not measured: ${reasonOf(error)}`,
      );
    }
  }
}
