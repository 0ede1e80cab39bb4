import {
  type ContextManager,
  context,
  type ProxyTracerProvider,
  propagation,
  type TextMapPropagator,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import { own } from '../validation/own.js';

/** The globals of the OpenTelemetry API. */
const GLOBALS = Symbol.for('opentelemetry.js.api.1');

/** What this package registers with the API. */
export interface Registration {
  /** Undefined for none: spans are no-ops then, and contexts and headers are propagated all the same. */
  readonly provider: TracerProvider | undefined;
  readonly contextManager: ContextManager;
  readonly propagator: TextMapPropagator;
}

/** Registers the globals of the API. @returns a function that removes those of them that remain */
export function registerGlobals({ provider, contextManager, propagator }: Registration): () => void {
  const apis = { trace, context, propagation };
  const current = (): Record<string, unknown> => ({
    ...(globalThis as Record<symbol, Record<string, unknown> | undefined>)[GLOBALS],
  });
  const before = current();
  if (provider !== undefined) trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(contextManager.enable());
  propagation.setGlobalPropagator(propagator);
  const after = current();
  return () => {
    const now = current();
    for (const [name, api] of Object.entries(apis))
      if (own(now, name) === own(after, name) && own(after, name) !== own(before, name)) api.disable();
  };
}

/**
 * Watches the context manager that is registered. What is measured in the whole process stops with it: a test of Jest whose
 * application is never closed must not disturb later ones. Jest makes accessors of what a test leaves behind, and warns when
 * they are read, so none is.
 * @returns whether it is still registered
 */
export function watchContextManager(): () => boolean {
  const registered = (globalThis as Record<symbol, object | undefined>)[GLOBALS] ?? {};
  const read = (): unknown => Object.getOwnPropertyDescriptor(registered, 'context')?.value;
  const first = read();
  return () => read() === first;
}

/** Whether spans of the API reach a provider. */
export function isRegistered(provider: TracerProvider): boolean {
  return (trace.getTracerProvider() as ProxyTracerProvider).getDelegate?.() === provider;
}

/** Two versions of the API share one place for what is registered, and the newer cannot see what the older has put there. */
export function otherApi(): string {
  const registered = (globalThis as Record<symbol, { version?: unknown } | undefined>)[GLOBALS];
  return `Another version of @opentelemetry/api (${String(registered?.version)}) was registered first, so spans have no parents and traces are not continued. Install one version of @opentelemetry/api: npm ls @opentelemetry/api shows which packages bring their own.`;
}
