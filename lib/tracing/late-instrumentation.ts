import type { Instrumentation, InstrumentationModuleDefinition } from '@opentelemetry/instrumentation';
import satisfies from 'semver/functions/satisfies.js';
import type { InstalledModules } from './installed-modules.js';

/** What every instrumentation of OpenTelemetry's offers beside its public type. */
export type PatchingInstrumentation = Instrumentation & {
  getModuleDefinitions?(): InstrumentationModuleDefinition[];
};

/**
 * Applies an instrumentation to modules that were loaded before it was made. OpenTelemetry's patch a module when it
 * is required; calling the same patch on the exports of a module that is already there does as well, because what
 * they replace are methods of prototypes that everybody shares.
 * @returns whether a module was there to be patched
 */
export function applyLate(instrumentation: PatchingInstrumentation, modules: InstalledModules): boolean {
  let applied = false;
  for (const definition of instrumentation.getModuleDefinitions?.() ?? []) {
    for (const { folder, version } of modules.loadedCopies(definition.name)) {
      if (!supports(definition.supportedVersions, version)) continue;
      const exports = modules.loadedExports(folder);
      if (exports !== undefined && definition.patch !== undefined && definition.moduleExports === undefined) {
        definition.moduleExports = definition.patch(exports, version);
        definition.moduleVersion = version;
        applied = true;
      }
      for (const file of definition.files) {
        const inner = modules.loadedExports(folder, file.name.slice(definition.name.length + 1));
        if (inner === undefined || file.moduleExports !== undefined) continue;
        if (!supports(file.supportedVersions, version)) continue;
        file.moduleExports = file.patch(inner, version);
        applied = true;
      }
    }
    applied ||= definition.moduleExports !== undefined;
  }
  return applied;
}

/** Whether a function was replaced by an OpenTelemetry instrumentation. */
export function isWrapped(value: unknown): boolean {
  return typeof value === 'function' && (value as { __wrapped?: unknown }).__wrapped === true;
}

function supports(ranges: readonly string[], version: string): boolean {
  return (
    ranges.length === 0 || ranges.some((range) => satisfies(version, range, { includePrerelease: true }))
  );
}
