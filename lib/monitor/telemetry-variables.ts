import { withoutValues } from '../text/address.js';
import { addressFrom, type Environment } from '../validation/option-table.js';
import { formatValue, invalid } from '../validation/options-error.js';
import { own } from '../validation/own.js';
import type { TracingOptions } from './tracing-options.js';

/** A variable of OpenTelemetry, for the reference. */
export interface VariableDoc {
  readonly accepts: string;
  readonly default: string;
  readonly meaning: string;
}

const PROTOCOLS = ['grpc', 'http/protobuf', 'http/json'] as const;
const PROPAGATORS = ['tracecontext', 'baggage', 'b3', 'b3multi', 'jaeger'] as const;
const SAMPLERS = ['always_on', 'always_off', 'traceidratio'] as const;

/** The protocol of an OTLP exporter. */
export type OtlpProtocol = (typeof PROTOCOLS)[number];
export type PropagatorName = (typeof PROPAGATORS)[number];

const words = (values: readonly string[]): string => values.map((value) => `\`${value}\``).join(', ');

/** OpenTelemetry's variables that no option reads. Those that an option reads stand beside it. */
export const TELEMETRY_VARIABLES = {
  OTEL_SDK_DISABLED: {
    accepts: '`true`; any other value is false',
    default: '`false`',
    meaning:
      'No spans are created, and nothing is exported. Incoming requests and decorated methods are measured without causes.',
  },
  OTEL_TRACES_EXPORTER: {
    accepts: 'a list of `otlp`, `console`, or `none`',
    default: '`otlp` if an endpoint is set, otherwise `none`',
    meaning: 'Where spans are exported to. `otlp` without an endpoint exports to this machine.',
  },
  OTEL_METRICS_EXPORTER: {
    accepts: 'a list of `otlp`, `console`, `prometheus`, or `none`',
    default: '`otlp` if an endpoint is set, otherwise `none`',
    meaning:
      'Where metrics are exported to. `prometheus` pushes none: metrics can be scraped at `/performance/metrics` in any case.',
  },
  OTEL_RESOURCE_ATTRIBUTES: {
    accepts: '`key=value` pairs with commas between them, percent-encoded',
    default: 'none',
    meaning:
      'Attributes of the resource of spans and metrics. `OTEL_SERVICE_NAME` and the options override them. A value with an error is discarded as a whole.',
  },
  OTEL_PROPAGATORS: {
    accepts: `a list of ${words(PROPAGATORS)}, or \`none\``,
    default: '`tracecontext,baggage`',
    meaning:
      'The headers that continue a trace. `b3` and `b3multi` need `@opentelemetry/propagator-b3`, `jaeger` needs `@opentelemetry/propagator-jaeger`.',
  },
  OTEL_TRACES_SAMPLER: {
    accepts: `${words(SAMPLERS)}, each also with \`parentbased_\` before it`,
    default: '`parentbased_always_on`',
    meaning:
      'Which traces are sampled: marked as such in headers, and exported. Every operation is recorded here all the same. Overridden by `tracing.sampling.ratio`.',
  },
  OTEL_TRACES_SAMPLER_ARG: {
    accepts: 'a number from 0 to 1',
    default: '`1`',
    meaning: 'The ratio of `traceidratio` and `parentbased_traceidratio`.',
  },
  OTEL_EXPORTER_OTLP_PROTOCOL: {
    accepts: words(PROTOCOLS),
    default: '`grpc`',
    meaning:
      'The protocol of OTLP. The others than `grpc` need an exporter of OpenTelemetry to be installed; one line in the log names it.',
  },
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: {
    accepts: words(PROTOCOLS),
    default: '`OTEL_EXPORTER_OTLP_PROTOCOL`',
    meaning: 'The same for spans.',
  },
  OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: {
    accepts: words(PROTOCOLS),
    default: '`OTEL_EXPORTER_OTLP_PROTOCOL`',
    meaning: 'The same for metrics.',
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    accepts: '`key=value` pairs with commas between them, percent-encoded',
    default: 'none',
    meaning: 'Headers of each export, such as an API key. They are never logged.',
  },
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: {
    accepts: 'as above',
    default: 'none',
    meaning: 'The same for spans, in addition.',
  },
  OTEL_EXPORTER_OTLP_METRICS_HEADERS: {
    accepts: 'as above',
    default: 'none',
    meaning: 'The same for metrics, in addition.',
  },
} as const satisfies Record<string, VariableDoc>;

/** A receiver of one signal by OTLP. */
export interface OtlpTarget {
  /** Where requests are sent to. May contain credentials. */
  readonly url: string;
  /** The same without them. */
  readonly shown: string;
  readonly protocol: OtlpProtocol;
  /** The option or variable that turned the export on. */
  readonly origin: string;
}

/** Where a signal is exported to. */
export interface SignalExport {
  readonly otlp: OtlpTarget | undefined;
  /** To the console as well. */
  readonly console: boolean;
  /** Faults of variables whose values are ignored. */
  readonly warnings: readonly string[];
}

/** A sampler that a variable names. */
export interface SamplerChoice {
  readonly kind: (typeof SAMPLERS)[number];
  readonly parentBased: boolean;
  readonly ratio: number;
  /** `tracing.sampling.keepSlowTraces` is given as true: by default, this sampler alone decides what is exported. */
  readonly keepSlowTraces: boolean;
}

/** What OpenTelemetry's variables set, apart from the options. */
export interface ResolvedTelemetry {
  readonly isSdkDisabled: boolean;
  readonly traces: SignalExport;
  readonly metrics: SignalExport;
  /** Undefined for OpenTelemetry's default. */
  readonly propagators: readonly PropagatorName[] | undefined;
  /** Undefined for that of the options. */
  readonly sampler: SamplerChoice | undefined;
  /** Faults of variables whose values are ignored, apart from those of the exports. */
  readonly warnings: readonly string[];
}

/** An endpoint that an option or a variable gives. */
interface Candidate {
  readonly origin: string;
  readonly value: string | undefined;
  /** Its path is that of the signal. Otherwise HTTP appends the path of the signal. */
  readonly isComplete?: boolean;
}

/** The options that override these variables, as given. */
export interface OverridingOptions {
  readonly tracing?: TracingOptions | undefined;
  readonly metrics?: { readonly endpoint?: string | undefined } | undefined;
}

/** Reads OpenTelemetry's variables. As it specifies, a value that is not known is ignored with a warning. */
export function resolveTelemetry(given: OverridingOptions, env: Environment): ResolvedTelemetry {
  const variables = new Variables(env);
  const base: Candidate = { origin: 'tracing.endpoint', value: given.tracing?.endpoint };
  const { ratio, keepSlowTraces = false } = given.tracing?.sampling ?? {};
  return {
    isSdkDisabled: variables.word('OTEL_SDK_DISABLED') === 'true',
    traces: resolveSignal('TRACES', [base], ['ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'], env),
    metrics: resolveSignal(
      'METRICS',
      [{ origin: 'metrics.endpoint', value: given.metrics?.endpoint, isComplete: true }, base],
      ['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', 'ENDPOINT'],
      env,
    ),
    propagators: variables.list('OTEL_PROPAGATORS', PROPAGATORS),
    sampler: ratio === undefined ? resolveSampler(variables, keepSlowTraces) : undefined,
    warnings: variables.warnings,
  };
}

/** Reads variables, and notes the values that are ignored. */
class Variables {
  readonly warnings: string[] = [];

  constructor(private readonly env: Environment) {}

  /** The value of a variable; undefined if it is empty. */
  text(name: string): string | undefined {
    return own(this.env, name)?.trim() || undefined;
  }

  /** The value of a variable that names something: case does not matter. */
  word(name: string): string | undefined {
    return this.text(name)?.toLowerCase();
  }

  /** The known values of a list, once each; undefined without any. `none` stands for an empty list. */
  list<Value extends string>(name: string, known: readonly Value[]): Value[] | undefined {
    const values = new Set(
      this.word(name)
        ?.split(',')
        .map((value) => value.trim())
        .filter(Boolean),
    );
    if (values.has('none')) return [];
    const found = known.filter((value) => values.has(value));
    for (const value of values)
      if (!known.includes(value as Value)) this.ignore(name, value, [...known, 'none'].join(', '));
    // In their order: the last propagator that finds a header wins.
    return found.length > 0
      ? ([...values].filter((value) => found.includes(value as Value)) as Value[])
      : undefined;
  }

  ignore(name: string, received: string, expected: string): void {
    this.warnings.push(`${invalid(name, formatValue(received), expected)}. It is ignored.`);
  }
}

function resolveSignal(
  signal: 'TRACES' | 'METRICS',
  options: readonly Candidate[],
  names: readonly string[],
  env: Environment,
): SignalExport {
  const variables = new Variables(env);
  const isTraces = signal === 'TRACES';
  const exporter = `OTEL_${signal}_EXPORTER`;
  const known = isTraces ? (['otlp', 'console'] as const) : (['otlp', 'console', 'prometheus'] as const);
  const exporters: readonly string[] | undefined = variables.list(exporter, known);
  const { parse } = addressFrom();
  const fromVariables = [...names, 'OTEL_EXPORTER_OTLP_ENDPOINT'].map((origin): Candidate => {
    const text = variables.text(origin);
    const value = text === undefined ? undefined : (parse(text) as string);
    return { origin, value, isComplete: origin.endsWith(`${signal}_ENDPOINT`) };
  });
  const protocol = protocolOf(signal, variables);
  const local: Candidate = {
    origin: exporter,
    value: exporters === undefined ? undefined : `http://localhost:${protocol === 'grpc' ? 4317 : 4318}`,
  };
  // `OTEL_METRICS_EXPORTER=none` concerns metrics alone: the endpoint of all telemetry does not override it.
  const isNone = exporters !== undefined && exporters.length === 0;
  const applicable = isNone ? options.slice(0, 1) : options;
  const wanted = exporters === undefined || exporters.includes('otlp') ? [...fromVariables, local] : [];
  const chosen = [...applicable, ...wanted].find(({ value }) => value !== undefined);
  return {
    otlp:
      chosen === undefined ? undefined : targetOf(chosen, protocol, isTraces ? 'v1/traces' : 'v1/metrics'),
    console: exporters?.includes('console') === true,
    warnings: variables.warnings,
  };
}

function protocolOf(signal: 'TRACES' | 'METRICS', variables: Variables): OtlpProtocol {
  for (const name of [`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`, 'OTEL_EXPORTER_OTLP_PROTOCOL']) {
    const value = variables.word(name);
    if (value === undefined) continue;
    const known = PROTOCOLS.find((protocol) => protocol === value);
    if (known !== undefined) return known;
    variables.ignore(name, value, PROTOCOLS.join(', '));
  }
  return 'grpc';
}

function targetOf(
  { value = '', isComplete, origin }: Candidate,
  protocol: OtlpProtocol,
  path: string,
): OtlpTarget {
  const url = protocol === 'grpc' || isComplete || !URL.canParse(value) ? value : withPath(value, path);
  return { url, shown: withoutValues(url), protocol, origin };
}

function withPath(base: string, path: string): string {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${path}`;
  return url.href;
}

function resolveSampler(variables: Variables, keepSlowTraces: boolean): SamplerChoice | undefined {
  const name = variables.word('OTEL_TRACES_SAMPLER');
  if (name === undefined) return undefined;
  const parentBased = name.startsWith('parentbased_');
  const kind = SAMPLERS.find((sampler) => sampler === name.replace('parentbased_', ''));
  if (kind === undefined) {
    const all = SAMPLERS.flatMap((sampler) => [sampler, `parentbased_${sampler}`]);
    variables.ignore('OTEL_TRACES_SAMPLER', name, all.join(', '));
    return undefined;
  }
  return { kind, parentBased, ratio: kind === 'traceidratio' ? ratioOf(variables) : 1, keepSlowTraces };
}

function ratioOf(variables: Variables): number {
  const text = variables.text('OTEL_TRACES_SAMPLER_ARG');
  const ratio = Number(text ?? 1);
  if (ratio >= 0 && ratio <= 1) return ratio;
  variables.ignore('OTEL_TRACES_SAMPLER_ARG', text ?? '', 'a number from 0 to 1');
  return 1;
}
