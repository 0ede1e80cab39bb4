import { types } from 'node:util';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { type Context, trace } from '@opentelemetry/api';
import { processWide } from '../../async/process-wide.js';
import { reportFault } from '../../async/thrown.js';
import { PerformanceMonitor } from '../../monitor/performance-monitor.js';
import { SINK_KEY, type SpanSink, sinkIn } from '../../spans/live-span.js';
import { tracingRuntime } from '../../spans/tracing-runtime.js';

/** A provider in Nest's discovery. */
type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** By instance, prototype and class of a provider: the sink of its application; undefined if several applications have it. */
const owners = processWide('code-owners', () => new WeakMap<object, SpanSink | undefined>());

/** Knows which application a provider belongs to, where several run in one process. */
@Injectable()
export class CodeOwners implements OnModuleInit, OnApplicationShutdown {
  private claimed: object[] = [];

  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(PerformanceMonitor) private readonly monitor: PerformanceMonitor,
  ) {}

  onModuleInit(): void {
    for (const wrapper of [...this.discovery.getProviders(), ...this.discovery.getControllers()])
      this.claimAll(wrapper);
  }

  onApplicationShutdown(): void {
    for (const part of this.claimed) if (owners.get(part) === this.monitor.sink) owners.delete(part);
    this.claimed = [];
  }

  /** A provider may be any value, such as a proxy that throws. */
  private claimAll(wrapper: Wrapper): void {
    try {
      for (const part of partsOf(wrapper)) this.claim(part);
    } catch (error) {
      reportFault('the owner of a provider is not known', error);
    }
  }

  private claim(part: object): void {
    const { sink } = this.monitor;
    const isShared = owners.has(part) && owners.get(part) !== sink;
    owners.set(part, isShared ? undefined : sink);
    this.claimed.push(part);
  }
}

/**
 * The context for a call of a method on `self`: outside any request, its operation belongs to the application that
 * provides `self`, as far as that is known.
 */
export function contextOfOwner(parent: Context, self: unknown): Context {
  if (tracingRuntime.monitors.length < 2) return parent;
  const around = trace.getSpanContext(parent);
  // The span of another process belongs to no application of this one.
  if ((around !== undefined && around.isRemote !== true) || sinkIn(parent) !== undefined) return parent;
  const isObject = (typeof self === 'object' && self !== null) || typeof self === 'function';
  const sink = isObject ? sinkOfOwner(self) : undefined;
  return sink === undefined ? parent : parent.setValue(SINK_KEY, sink);
}

/** The sink of the application that provides an object; undefined if none that has the module is known to. */
export function sinkOfOwner(provider: object): SpanSink | undefined {
  if (types.isProxy(provider)) return undefined;
  const prototype = Object.getPrototypeOf(provider) as object | null;
  return owners.get(provider) ?? (prototype === null ? undefined : owners.get(prototype));
}

/** The instance of a provider that lives as long as its application, its class and the prototype of its instances. */
function partsOf(wrapper: Wrapper): object[] {
  const { metatype } = wrapper;
  const isClass = typeof metatype === 'function' && wrapper.inject === undefined;
  const parts: unknown[] = isClass ? [metatype, metatype.prototype] : [];
  if (wrapper.isDependencyTreeStatic() && !wrapper.isTransient) parts.push(wrapper.instance);
  return parts.filter(
    (part): part is object => (typeof part === 'object' && part !== null) || typeof part === 'function',
  );
}
