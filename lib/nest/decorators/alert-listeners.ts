import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { PerformanceAlert } from '../../alerting/alert.js';
import { type AlertFilter, matches } from '../../alerting/alert-filter.js';
import { reasonOf, stackOf } from '../../async/thrown.js';
import { PerformanceMonitor } from '../../monitor/performance-monitor.js';
import { formatValue } from '../../validation/options-error.js';
import { alertFiltersOf, hasAlertListeners } from './on-performance-alert.decorator.js';

/** A provider in Nest's discovery. */
type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** A method of an instance that receives alerts. */
interface Listener {
  readonly instance: Record<string, (alert: PerformanceAlert) => unknown>;
  readonly method: string;
  /** `PagerService.page` */
  readonly title: string;
  readonly filters: readonly AlertFilter[];
}

/** Finds the methods with `@OnPerformanceAlert` at bootstrap, and calls them with alerts. */
@Injectable()
export class AlertListeners implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('AlertListeners');
  private stop: (() => void) | undefined;

  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(MetadataScanner) private readonly scanner: MetadataScanner,
    @Inject(PerformanceMonitor) private readonly monitor: PerformanceMonitor,
  ) {}

  onApplicationBootstrap(): void {
    const listeners = hasAlertListeners() ? this.find() : [];
    if (listeners.length === 0) return;
    this.stop = this.monitor.alerting.onNotified((alert) => {
      for (const listener of listeners) {
        if (listener.filters.some((filter) => matches(filter, alert))) this.notify(listener, alert);
      }
    });
  }

  onApplicationShutdown(): void {
    // Pending alerts are delivered first.
    setImmediate(() => this.stop?.()).unref();
  }

  private find(): Listener[] {
    const listeners: Listener[] = [];
    const seen = new Set<unknown>();
    for (const wrapper of [...this.discovery.getProviders(), ...this.discovery.getControllers()]) {
      try {
        if (!wrapper.isAlias) this.addListeners(wrapper, seen, listeners);
      } catch (error) {
        // A provider may be any value, such as a proxy that throws.
        this.logger.debug(
          `Could not search ${String(wrapper.name)} for alert listeners: ${formatValue(error)}`,
        );
      }
    }
    return listeners;
  }

  private addListeners(wrapper: Wrapper, seen: Set<unknown>, listeners: Listener[]): void {
    const lives = wrapper.isDependencyTreeStatic() && !wrapper.isTransient;
    const instance: unknown = lives ? wrapper.instance : undefined;
    const prototype: object | null | undefined = lives
      ? prototypeOf(instance)
      : (wrapper.metatype?.prototype as object | undefined);
    // One instance may be provided under several tokens and in several modules.
    if (prototype === null || prototype === undefined || (lives && seen.has(instance))) return;
    seen.add(instance);
    const methods = prototype as Listener['instance'];
    for (const method of this.scanner.getAllMethodNames(prototype)) {
      const filters = alertFiltersOf(methods[method] ?? {});
      if (filters.length === 0) continue;
      const title = `${prototype.constructor.name}.${method}`;
      if (lives) listeners.push({ instance: instance as Listener['instance'], method, title, filters });
      else this.warnOf(title, wrapper.isTransient ? 'transient' : 'request-scoped');
    }
  }

  private warnOf(title: string, how: string): void {
    this.logger.warn(
      `${title} will not receive alerts: its provider is ${how}. Move @OnPerformanceAlert to a singleton provider.`,
    );
  }

  private notify({ instance, method, title }: Listener, alert: PerformanceAlert): void {
    const failed = (error: unknown): void => {
      try {
        this.logger.error(
          `${title} failed on the alert ${alert.rule} (${alert.state}): ${textOf(error)}`,
          stackOf(error),
        );
      } catch {
        // A custom logger may throw.
      }
    };
    try {
      Promise.resolve(instance[method]?.(alert)).catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}

/** The name and the message of an error; what any other thrown value is. Never throws. */
function textOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown) : formatValue(thrown);
  } catch {
    return reasonOf(thrown);
  }
}

/** The prototype of an object; null for anything else. */
function prototypeOf(instance: unknown): object | null {
  return typeof instance === 'object' && instance !== null
    ? (Object.getPrototypeOf(instance) as object | null)
    : null;
}
