import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-node';

type ExportResult = Parameters<Parameters<SpanExporter['export']>[1]>[0];

/** Says once when spans can no longer be exported and once when they can again, not at every attempt. */
export class WatchedExporter implements SpanExporter {
  private failing = false;

  constructor(
    private readonly inner: SpanExporter,
    private readonly endpoint: string,
    private readonly log: { warn(message: string): void; log(message: string): void },
  ) {}

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.inner.export(spans, (result) => {
      this.note(result);
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.inner.shutdown();
  }

  async forceFlush(): Promise<void> {
    await this.inner.forceFlush?.();
  }

  private note({ code, error }: ExportResult): void {
    const failed = code !== 0;
    if (failed === this.failing) return;
    this.failing = failed;
    if (failed) {
      const reason = error?.message ?? 'no reason given';
      this.log.warn(
        `Spans cannot be exported to ${this.endpoint} (${reason}). Those that wait are bounded in number, ` +
          'statistics go on. This is said once, until it works again.',
      );
    } else {
      this.log.log(`Spans are exported to ${this.endpoint} again.`);
    }
  }
}
