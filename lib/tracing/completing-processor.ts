import type { Context } from '@opentelemetry/api';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { reportFault } from '../async/thrown.js';
import { completionOf } from '../spans/completed-later.js';
import type { OwnSpan } from './own-span.js';

/** Spans that may wait at once. Further ones are passed on as they are. */
const MAX_WAITING = 1000;

/** Passes spans on to a processor that exports them, when their attributes are complete: one turn of the event loop later. */
export class CompletingProcessor implements SpanProcessor {
  private readonly waiting = new Set<ReadableSpan>();

  constructor(private readonly next: SpanProcessor) {}

  onStart(span: OwnSpan, parentContext: Context): void {
    this.next.onStart(span as never, parentContext);
  }

  onEnding(span: OwnSpan): void {
    this.next.onEnding?.(span as never);
  }

  onEnd(span: ReadableSpan): void {
    const completion = completionOf(span);
    if (completion === undefined || this.waiting.size >= MAX_WAITING) {
      this.next.onEnd(span);
      return;
    }
    this.waiting.add(span);
    void completion.then(() => this.pass(span));
  }

  async forceFlush(): Promise<void> {
    await this.passAll();
    await this.next.forceFlush();
  }

  async shutdown(): Promise<void> {
    await this.passAll();
    await this.next.shutdown();
  }

  private async passAll(): Promise<void> {
    await Promise.all([...this.waiting].map(completionOf));
    for (const span of this.waiting) this.pass(span);
  }

  private pass(span: ReadableSpan): void {
    if (!this.waiting.delete(span)) return;
    try {
      this.next.onEnd(span);
    } catch (error) {
      reportFault('exporting a span failed', error);
    }
  }
}
