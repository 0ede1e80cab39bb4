import { type BeforeApplicationShutdown, Inject, Injectable, type Type, UseGuards } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { createControllers } from './controllers.js';
import { EndpointGuard } from './endpoint.guard.js';
import { ENDPOINT_PATH } from './endpoint-path.js';

interface EndpointController {
  beforeApplicationShutdown?(): void;
}

/**
 * The controllers of the endpoint. Their classes and instances are made when they are needed: an application starts more
 * often than somebody asks.
 */
@Injectable()
export class EndpointControllers implements BeforeApplicationShutdown {
  private known: readonly Type[] | undefined;
  private readonly instances = new Map<Type, Promise<object>>();
  private readonly created: EndpointController[] = [];
  private isEnding = false;

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
    const instance = this.instances.get(type) ?? this.create(type);
    this.instances.set(type, instance);
    return instance;
  }

  private async create(type: Type): Promise<object> {
    const controller = await this.moduleRef.create<EndpointController>(type);
    this.created.push(controller);
    if (this.isEnding) controller.beforeApplicationShutdown?.();
    return controller;
  }

  /** Nest does not call the hooks of what it has not created with the module. Requests may come until the server is closed. */
  beforeApplicationShutdown(): void {
    this.isEnding = true;
    for (const controller of this.created) controller.beforeApplicationShutdown?.();
  }
}
