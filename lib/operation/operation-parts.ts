import type { OPERATION_TYPES } from './operation.js';

/** The types that others wait for. */
const PARTS: ReadonlySet<string> = new Set<(typeof OPERATION_TYPES)[number]>([
  'database',
  'connection_pool',
  'cache',
  'external',
  'messaging',
  'rpc',
  'internal',
]);

/** Whether operations of a type are parts of others, rather than incoming ones: what changed in them is evidence, not a verdict. */
export function isPart(type: string): boolean {
  return PARTS.has(type);
}
