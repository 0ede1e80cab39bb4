import { hostname } from 'node:os';
import { applicationPackage } from '../process/application-package.js';
import { text } from '../validation/checks.js';
import { type Environment, type OptionTable, option, textFrom } from '../validation/option-table.js';
import { own } from '../validation/own.js';
import type { Instance } from './instance.js';

/** The identity of the service in its telemetry. */
export interface ServiceOptions {
  /** `service.name`. Default: the name in the application's package.json. */
  serviceName?: string | undefined;
  /** `service.version`. Default: the version in the application's package.json. */
  serviceVersion?: string | undefined;
  /** `host.name`. Default: the machine's name. */
  hostName?: string | undefined;
}

export interface ResolvedServiceOptions {
  readonly serviceName: string;
  readonly serviceVersion: string | undefined;
  readonly hostName: string;
  /** This process. */
  readonly instance: Instance;
  /** Further attributes of the resource, from `OTEL_RESOURCE_ATTRIBUTES`. */
  readonly resourceAttributes?: Readonly<Record<string, string>>;
}

export const SERVICE_OPTIONS: OptionTable<ServiceOptions> = {
  serviceName: option(text, {
    defaultText: 'the name in the application’s package.json',
    variables: textFrom('SERVICE_NAME', 'OTEL_SERVICE_NAME'),
  }),
  serviceVersion: option(text, { defaultText: 'the version in the application’s package.json' }),
  hostName: option(text, {
    default: hostname,
    defaultText: 'the machine’s name',
    variables: textFrom('CONTAINER_NAME', 'HOSTNAME'),
  }),
};

/** The name and version of the service: as given, otherwise from the application's package.json. */
export function withApplicationPackage(given: {
  readonly serviceName: string | undefined;
  readonly serviceVersion: string | undefined;
}): Pick<ResolvedServiceOptions, 'serviceName' | 'serviceVersion'> {
  const { name, version } = applicationPackage() ?? {};
  return {
    serviceName: given.serviceName ?? name ?? 'nestjs-application',
    serviceVersion: given.serviceVersion ?? version,
  };
}

/** The attributes of the resource by the semantic conventions. */
export function serviceAttributes(service: ResolvedServiceOptions): Record<string, string> {
  const { serviceName, serviceVersion, hostName, instance, resourceAttributes } = service;
  return {
    ...resourceAttributes,
    'service.name': serviceName,
    'service.instance.id': instance.id,
    ...(serviceVersion === undefined ? {} : { 'service.version': serviceVersion }),
    'host.name': hostName,
  };
}

/**
 * The attributes that `OTEL_RESOURCE_ATTRIBUTES` contains: pairs `key=value` with commas between them, percent-encoded.
 * Undefined if there is any error, for OpenTelemetry discards the whole value then.
 */
export function resourceAttributesFrom(env: Environment): Record<string, string> | undefined {
  const attributes: Record<string, string> = {};
  for (const pair of (own(env, 'OTEL_RESOURCE_ATTRIBUTES') ?? '').split(',')) {
    if (pair.trim() === '') continue;
    const [key = '', value, ...rest] = pair.split('=').map(decoded);
    if (key === undefined || key === '' || value === undefined || rest.length > 0) return undefined;
    Object.defineProperty(attributes, key, { value, enumerable: true });
  }
  return attributes;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.trim());
  } catch {
    return undefined;
  }
}
