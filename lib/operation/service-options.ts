import { hostname } from 'node:os';
import { applicationPackage } from '../process/application-package.js';
import { text } from '../validation/checks.js';
import { type OptionTable, option, textFrom } from '../validation/option-table.js';

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
