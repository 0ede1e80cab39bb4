import { type Tracer, type TracerProvider, trace } from '@opentelemetry/api';
import { SCOPE } from '../../spans/tracing-runtime.js';
import { type InstalledModules, readPackage } from '../installed-modules.js';
import {
  isWrapped,
  type ModulePatch,
  type PatchingInstrumentation,
  patchCopy,
} from '../late-instrumentation.js';

type Method = (this: never, ...args: never[]) => unknown;

/** Patches the methods of a driver, in every copy that is loaded, and restores them. */
export abstract class DriverPatch implements PatchingInstrumentation {
  protected tracer: Tracer;
  protected abstract readonly patches: readonly ModulePatch[];
  private readonly restores: (() => void)[] = [];
  private isEnabled = true;

  /** @param instrumentationName the name of its instrumentation scope */
  constructor(readonly instrumentationName: string) {
    this.tracer = trace.getTracer(instrumentationName, SCOPE.version);
  }

  setTracerProvider(provider: TracerProvider): void {
    this.tracer = provider.getTracer(this.instrumentationName, SCOPE.version);
  }

  getModuleDefinitions(): readonly ModulePatch[] {
    return this.patches;
  }

  /** Patches a copy of a package as soon as one of its files is loaded. */
  patchLoaded(name: string, folder: string, modules: InstalledModules): void {
    for (const patch of this.patches) {
      if (patch.name !== name) continue;
      const copy = readPackage(folder);
      if (copy !== undefined) patchCopy(patch, copy, modules);
    }
  }

  /** Restores all methods, for good. Those that another tool has wrapped since remain, and measure nothing. */
  disable(): void {
    this.isEnabled = false;
    for (const restore of this.restores.splice(0)) restore();
  }

  /** A module to patch, or a file of one. */
  protected patchOf(
    name: string,
    supportedVersions: readonly string[],
    patch: (exports: never) => void,
    files: readonly ModulePatch[] = [],
  ): ModulePatch {
    return {
      name,
      supportedVersions,
      patch: patch as (exports: unknown) => void,
      files,
      patched: new WeakSet(),
    };
  }

  /** Replaces a method, unless an instrumentation has replaced it. */
  protected wrap<Of extends Method>(prototype: object, name: string, wrapperOf: (original: Of) => Of): void {
    const original: unknown = Reflect.get(prototype, name);
    if (!this.isEnabled || typeof original !== 'function' || isWrapped(original)) return;
    const measuring: Method = wrapperOf(original as Of);
    const patch = this;
    const wrapper = function (this: never, ...args: never[]): unknown {
      return (patch.isEnabled ? measuring : (original as Method)).apply(this, args);
    };
    const restore = (): void => {
      // Another tool may have wrapped it since.
      if (Reflect.get(prototype, name) === wrapper) define(prototype, name, original);
    };
    for (const key of ['name', 'length'] as const)
      Object.defineProperty(wrapper, key, { configurable: true, value: original[key] });
    // OpenTelemetry's instrumentations recognize and remove a wrapper by these.
    define(wrapper, '__original', original);
    define(wrapper, '__unwrap', restore);
    define(wrapper, '__wrapped', true);
    define(prototype, name, wrapper);
    this.restores.push(restore);
  }
}

/** Sets a property that remains as enumerable as it was. */
function define(object: object, name: string, value: unknown): void {
  const enumerable = Object.prototype.propertyIsEnumerable.call(object, name);
  Object.defineProperty(object, name, { configurable: true, enumerable, writable: true, value });
}
