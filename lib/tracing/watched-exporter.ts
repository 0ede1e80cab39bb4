import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-node';
import { ExportHealth } from '../metrics/export-health.js';

type ExportResult = Parameters<Parameters<SpanExporter['export']>[1]>[0];

/** Says once when spans can no longer be exported and once when they can again, not at every attempt. */
export class WatchedExporter implements SpanExporter {
  private readonly health: ExportHealth;

  constructor(
    private readonly inner: SpanExporter,
    endpoint: string,
    log: { warn(message: string): void; log(message: string): void },
  ) {
    const meanwhile = 'Those that wait are bounded in number, statistics go on.';
    this.health = new ExportHealth('Spans', meanwhile, endpoint, log);
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.inner.export(spans, (result) => {
      this.health.note(result);
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.inner.shutdown();
  }

  async forceFlush(): Promise<void> {
    await this.inner.forceFlush?.();
  }
}
