import type { TextMapPropagator } from '@opentelemetry/api';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { reasonOf } from '../async/thrown.js';
import type { PropagatorName } from '../monitor/telemetry-variables.js';
import { own } from '../validation/own.js';
import { InstalledModules } from './installed-modules.js';

type PropagatorClass = new (config?: object) => TextMapPropagator;

/** Propagators that an application installs if it uses them. `injectEncoding` 1 is several headers. */
const INSTALLED = {
  b3: { name: '@opentelemetry/propagator-b3', className: 'B3Propagator', config: { injectEncoding: 0 } },
  b3multi: { name: '@opentelemetry/propagator-b3', className: 'B3Propagator', config: { injectEncoding: 1 } },
  jaeger: { name: '@opentelemetry/propagator-jaeger', className: 'JaegerPropagator', config: undefined },
} as const;

/** OpenTelemetry's. */
const DEFAULT: readonly PropagatorName[] = ['tracecontext', 'baggage'];

/**
 * The propagator that reads and writes the headers of all the named ones. Those whose package is missing are left out, after
 * a warning that says what to install.
 */
export function createPropagator(
  names: readonly PropagatorName[] = DEFAULT,
  warn: (message: string) => void,
): TextMapPropagator {
  const propagators = names.map((name) => {
    if (name === 'tracecontext') return new W3CTraceContextPropagator();
    return name === 'baggage' ? new W3CBaggagePropagator() : createInstalled(name, warn);
  });
  return new CompositePropagator({ propagators: propagators.filter((found) => found !== undefined) });
}

function createInstalled(
  name: keyof typeof INSTALLED,
  warn: (message: string) => void,
): TextMapPropagator | undefined {
  const { name: needed, className, config } = INSTALLED[name];
  const modules = new InstalledModules();
  const why = `The propagator ${name} of OTEL_PROPAGATORS is left out: it needs ${needed}`;
  if (modules.find(needed) === undefined) {
    warn(`${why}. Run npm install ${needed}.`);
    return undefined;
  }
  try {
    const Propagator = own(modules.load(needed) as Record<string, PropagatorClass>, className);
    if (Propagator === undefined) throw new Error(`it has no ${className}`);
    return new Propagator(config);
  } catch (error) {
    warn(`${why}, which failed to load: ${reasonOf(error)}`);
    return undefined;
  }
}
