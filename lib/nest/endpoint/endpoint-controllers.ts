import { type BeforeApplicationShutdown, Inject, Injectable, type Type, UseGuards } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { createControllers } from './controllers.js';
import { EndpointGuard } from './endpoint.guard.js';
import { ENDPOINT_PATH } from './endpoint-path.js';

/**
 * The controllers of the endpoint. Their classes and instances are made when they are needed: an application starts more
 * often than somebody asks.
 */
@Injectable()
export class EndpointControllers implements BeforeApplicationShutdown {
  private known: readonly Type[] | undefined;
  private readonly instances = new Map<Type, Promise<object>>();

  constructor(
    @Inject(ENDPOINT_PATH) readonly path: string,
    @Inject(EndpointGuard) private readonly guard: EndpointGuard,
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
  ) {}

  /** All of them, each of which has the guard of the endpoint. */
  get types(): readonly Type[] {
    if (this.known === undefined) {
      const types = createControllers(this.path);
      // As an instance: of a class that is no provider, Nest finds no guard by class, and would let every request pass.
      for (const type of types) UseGuards(this.guard)(type);
      this.known = types;
    }
    return this.known;
  }

  /** The only instance of one of {@link types}. */
  instanceOf(type: Type): Promise<object> {
    let instance = this.instances.get(type);
    if (instance === undefined) {
      instance = this.moduleRef.create<object>(type);
      this.instances.set(type, instance);
    }
    return instance;
  }

  /** Nest does not call the hooks of what it has not created with the module. */
  async beforeApplicationShutdown(signal?: string): Promise<void> {
    const settled = await Promise.allSettled(this.instances.values());
    for (const { value } of settled as { value?: Partial<BeforeApplicationShutdown> }[])
      await value?.beforeApplicationShutdown?.(signal);
  }
}
