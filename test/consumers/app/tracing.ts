// Loaded before the application, as users of OpenTelemetry do. TRACING says what is set up, joined by `+`:
// `provider` a tracer provider, `processor` with our span processor, `instrumentation` HttpInstrumentation.
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { NodeTracerProvider, type ReadableSpan, type SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { SlowSpanProcessor } from 'nestjs-performance';
import type { SeenSpan } from './seen-spans.js';

const parts = new Set(process.env['TRACING']?.split('+'));
const seenSpans: SeenSpan[] = [];
globalThis.seenSpans = seenSpans;

const recorder: SpanProcessor = {
  onStart() {},
  onEnd(span: ReadableSpan) {
    seenSpans.push({
      name: span.name,
      kind: span.kind,
      scope: span.instrumentationScope.name,
      spanId: span.spanContext().spanId,
      parentSpanId: span.parentSpanContext?.spanId,
    });
  },
  forceFlush: async () => {},
  shutdown: async () => {},
};

if (parts.has('provider')) {
  const spanProcessors = parts.has('processor') ? [recorder, new SlowSpanProcessor()] : [recorder];
  new NodeTracerProvider({ spanProcessors }).register();
}
if (parts.has('instrumentation')) registerInstrumentations({ instrumentations: [new HttpInstrumentation()] });
