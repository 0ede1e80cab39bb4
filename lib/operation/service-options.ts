import { hostname } from 'node:os';
import { applicationPackage } from '../process/application-package.js';
import { text } from '../validation/checks.js';
import { type OptionTable, option, textFrom } from '../validation/option-table.js';

/** What the telemetry says that it is of. */
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

/** @param given with the environment, but without defaults, for name and version */
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
