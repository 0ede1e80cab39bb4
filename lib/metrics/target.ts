import { randomUUID } from 'node:crypto';
import type { Attributes } from '@opentelemetry/api';
import type { ResolvedServiceOptions } from '../operation/service-options.js';

/**
 * What tells the measured process apart from others, as resource attributes. Instances need an id: without one, the
 * counters of two on one host would be taken for one that jumps.
 */
export function targetOf({ serviceName, serviceVersion, hostName }: ResolvedServiceOptions): Attributes {
  return {
    'service.name': serviceName,
    ...(serviceVersion === undefined ? {} : { 'service.version': serviceVersion }),
    'service.instance.id': randomUUID(),
    'host.name': hostName,
  };
}
