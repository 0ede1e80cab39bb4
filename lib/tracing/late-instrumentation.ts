import { isBuiltin } from 'node:module';
import type { TracerProvider } from '@opentelemetry/api';
import satisfies from 'semver/functions/satisfies.js';
import type { InstalledModules, InstalledPackage } from './installed-modules.js';

/** What an instrumentation changes in a module, or in a file of one: a definition of OpenTelemetry's, as far as it is used. */
export interface ModulePatch {
  /** The npm package or module of Node.js, and for a file its path in the package. */
  readonly name: string;
  readonly supportedVersions: readonly string[];
  readonly files?: readonly ModulePatch[];
  /** What has been patched, and its version. */
  moduleExports?: unknown;
  moduleVersion?: string | undefined;
  /** Of this package's, which patch every copy: those that have been patched. */
  readonly patched?: WeakSet<object>;
  patch?(exports: unknown, version?: string): unknown;
}

/** An instrumentation of OpenTelemetry or of this package, as far as it is used. */
export interface PatchingInstrumentation {
  setTracerProvider(provider: TracerProvider): void;
  disable(): void;
  /** Of OpenTelemetry's, new definitions at each call. */
  getModuleDefinitions?(): readonly ModulePatch[];
  /** Patches a copy of a package of which a file was loaded. OpenTelemetry's see that by themselves. */
  patchLoaded?(name: string, folder: string, modules: InstalledModules): void;
}

/** The module of Node.js that prints a warning when it is loaded, so it is not until the application does. */
export const NODE_SQLITE = 'node:sqlite';

/** The definitions that it patches itself when a module is required, and restores when it is disabled. */
function definitionsOf(instrumentation: PatchingInstrumentation): readonly ModulePatch[] {
  const { _modules } = instrumentation as { _modules?: readonly ModulePatch[] };
  return _modules ?? instrumentation.getModuleDefinitions?.() ?? [];
}

/**
 * Applies an instrumentation to modules that were loaded before it was created. OpenTelemetry patches a module when it is
 * required. The same patch works on the exports of a loaded module, because it replaces methods of shared prototypes.
 */
export function applyLate(instrumentation: PatchingInstrumentation, modules: InstalledModules): void {
  for (const definition of definitionsOf(instrumentation)) {
    if (isBuiltin(definition.name)) patchBuiltin(definition, modules);
    for (const copy of modules.loadedCopies(definition.name)) patchCopy(definition, copy, modules);
  }
}

/** Applies a definition to what is loaded of a copy of its package, unless it was. */
export function patchCopy(definition: ModulePatch, copy: InstalledPackage, modules: InstalledModules): void {
  const { folder, version } = copy;
  if (!supports(definition.supportedVersions, version)) return;
  patchOnce(definition, modules.loadedExports(folder), version);
  for (const file of definition.files ?? []) {
    if (!supports(file.supportedVersions, version)) continue;
    patchOnce(file, modules.loadedExports(folder, file.name.slice(definition.name.length + 1)), version);
  }
}

function patchOnce(definition: ModulePatch, exports: unknown, version?: string): void {
  const { patched } = definition;
  if (!isObject(exports) || definition.patch === undefined) return;
  if (patched === undefined) {
    if (definition.moduleExports !== undefined) return;
    definition.moduleExports = definition.patch(exports, version);
    definition.moduleVersion = version;
  } else if (!patched.has(exports)) {
    patched.add(exports);
    definition.patch(exports, version);
  }
}

/** Some copies of a package export nothing that could be patched. */
function isObject(exports: unknown): exports is object {
  return (typeof exports === 'object' || typeof exports === 'function') && exports !== null;
}

/** A module of Node.js is loaded once: instrumentations of later applications do not see that it is required. */
function patchBuiltin(definition: ModulePatch, modules: InstalledModules): void {
  if (definition.moduleExports !== undefined) return;
  // Node.js has loaded the others by itself.
  if (definition.name === NODE_SQLITE && !modules.isBuiltinLoaded(NODE_SQLITE)) return;
  patchOnce(definition, modules.load(definition.name));
}

/** Whether an OpenTelemetry instrumentation wraps a function. */
export function isWrapped(value: unknown): boolean {
  return typeof value === 'function' && (value as { __wrapped?: unknown }).__wrapped === true;
}

function supports(ranges: readonly string[], version: string): boolean {
  return (
    ranges.length === 0 || ranges.some((range) => satisfies(version, range, { includePrerelease: true }))
  );
}
