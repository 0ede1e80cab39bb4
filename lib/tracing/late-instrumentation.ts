import { isBuiltin } from 'node:module';
import type { Instrumentation, InstrumentationModuleDefinition } from '@opentelemetry/instrumentation';
import satisfies from 'semver/functions/satisfies.js';
import type { InstalledModules } from './installed-modules.js';

/** An OpenTelemetry instrumentation with a member that its public type does not declare. */
export type PatchingInstrumentation = Instrumentation & {
  /** New definitions at each call. */
  getModuleDefinitions?(): InstrumentationModuleDefinition[];
};

/** The module of Node.js that prints a warning when it is loaded, so it is not until the application does. */
export const NODE_SQLITE = 'node:sqlite';

/** The definitions that it patches itself when a module is required, and restores when it is disabled. */
function definitionsOf(instrumentation: PatchingInstrumentation): readonly InstrumentationModuleDefinition[] {
  const { _modules } = instrumentation as { _modules?: readonly InstrumentationModuleDefinition[] };
  return _modules ?? instrumentation.getModuleDefinitions?.() ?? [];
}

/**
 * Applies an instrumentation to modules that were loaded before it was created. OpenTelemetry patches a module when it is
 * required. The same patch works on the exports of a loaded module, because it replaces methods of shared prototypes.
 */
export function applyLate(instrumentation: PatchingInstrumentation, modules: InstalledModules): void {
  for (const definition of definitionsOf(instrumentation)) {
    if (isBuiltin(definition.name)) patchBuiltin(definition, modules);
    for (const { folder, version } of modules.loadedCopies(definition.name)) {
      if (!supports(definition.supportedVersions, version)) continue;
      const exports = modules.loadedExports(folder);
      if (exports !== undefined && definition.patch !== undefined && definition.moduleExports === undefined) {
        definition.moduleExports = definition.patch(exports, version);
        definition.moduleVersion = version;
      }
      for (const file of definition.files) {
        const inner = modules.loadedExports(folder, file.name.slice(definition.name.length + 1));
        if (inner === undefined || file.moduleExports !== undefined) continue;
        if (!supports(file.supportedVersions, version)) continue;
        file.moduleExports = file.patch(inner, version);
      }
    }
  }
}

/** A module of Node.js is loaded once: instrumentations of later applications do not see that it is required. */
function patchBuiltin(definition: InstrumentationModuleDefinition, modules: InstalledModules): void {
  if (definition.moduleExports !== undefined) return;
  // Node.js has loaded the others by itself.
  if (definition.name === NODE_SQLITE && !modules.isBuiltinLoaded(NODE_SQLITE)) return;
  const exports: unknown = modules.load(definition.name);
  if (definition.moduleExports !== undefined || definition.patch === undefined) return;
  definition.moduleExports = definition.patch(exports) as unknown;
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
