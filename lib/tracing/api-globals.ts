import {
  context,
  type ProxyTracerProvider,
  propagation,
  type TextMapPropagator,
  trace,
} from '@opentelemetry/api';
import type { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { own } from '../validation/own.js';

/** The globals of the OpenTelemetry API. */
const GLOBALS = Symbol.for('opentelemetry.js.api.1');

/** Registers a provider with its context manager and propagators. @returns a function that removes those of them that remain */
export function registerGlobals(
  provider: NodeTracerProvider,
  registered: { propagator?: TextMapPropagator },
): () => void {
  const apis = { trace, context, propagation };
  const current = (): Record<string, unknown> => ({
    ...(globalThis as Record<symbol, Record<string, unknown> | undefined>)[GLOBALS],
  });
  const before = current();
  provider.register(registered);
  const after = current();
  return () => {
    const now = current();
    for (const [name, api] of Object.entries(apis))
      if (own(now, name) === own(after, name) && own(after, name) !== own(before, name)) api.disable();
  };
}

/** Whether spans of the API reach a provider. */
export function isRegistered(provider: NodeTracerProvider): boolean {
  return (trace.getTracerProvider() as ProxyTracerProvider).getDelegate?.() === provider;
}

/** Two versions of the API share one place for what is registered, and the newer cannot see what the older has put there. */
export function otherApi(): string {
  const registered = (globalThis as Record<symbol, { version?: unknown } | undefined>)[GLOBALS];
  return `Another version of @opentelemetry/api (${String(registered?.version)}) was registered first, so spans have no parents and traces are not continued. Install one version of @opentelemetry/api: npm ls @opentelemetry/api shows which packages bring their own.`;
}
