import { formatValue, invalid } from '../../validation/options-error.js';

/** The path of the endpoint, which the module provides. */
export const ENDPOINT_PATH = Symbol('nestjs-performance endpoint path');

/** The default path of the endpoint. */
export const DEFAULT_PATH = 'performance';

/**
 * Returns the path of the endpoint with one slash before it.
 * @throws TypeError for an invalid path
 */
export function endpointPathOf(given: string): string {
  if (typeof given === 'string' && /^\/?[\w-][\w.-]*(?:\/[\w-][\w.-]*)*$/.test(given))
    return `/${given.replace(/^\//, '')}`;
  throw new TypeError(
    invalid('endpointPath', formatValue(given), 'a path such as performance or internal/performance'),
  );
}
