import { DeferredEmitter } from '../async/deferred-emitter.js';
import type { DetailedSlowOperation, SlowOperation } from '../explain/slow-operation.js';
import type { CompletedSpans } from '../spans/completed-spans.js';
import { waterfallOf } from '../spans/waterfall.js';

/** The data of a waterfall, which is created when it is requested. */
export interface RecordedSpans {
  readonly completed: CompletedSpans;
  /** When the operation started, on the same clock. */
  readonly startedAt: number;
}

interface Kept {
  /** Never changed: an update replaces it. */
  operation: SlowOperation;
  readonly recorded: RecordedSpans | undefined;
}

/** The last slow operations, the newest first. The oldest are dropped. */
export class SlowOperations {
  private readonly ring: Kept[] = [];
  private next = 0;
  private readonly added: DeferredEmitter<SlowOperation>;
  private readonly updated: DeferredEmitter<SlowOperation>;

  constructor(
    private readonly capacity: number,
    private readonly onError: (error: unknown) => void,
  ) {
    this.added = new DeferredEmitter(onError);
    this.updated = new DeferredEmitter(onError);
  }

  /** Adds an operation. @param recorded the spans that completed below it, if any */
  add(operation: SlowOperation, recorded?: RecordedSpans): void {
    this.ring[this.next] = { operation, recorded };
    this.next = (this.next + 1) % this.capacity;
    this.added.emit(operation);
  }

  /** Replaces an operation by a better description of it, while it is kept. */
  update(id: string, better: Partial<SlowOperation>): void {
    const kept = this.ring.find(({ operation }) => operation.id === id);
    if (kept === undefined) return;
    kept.operation = { ...kept.operation, ...better };
    this.updated.emit(kept.operation);
  }

  /** The same when each update is known. */
  updateLater(id: string, updates: readonly (Promise<Partial<SlowOperation>> | undefined)[]): void {
    for (const update of updates) update?.then((better) => this.update(id, better)).catch(this.onError);
  }

  /** Calls `listener` with each operation that is added, in a later turn of the event loop. Returns a function that removes it. */
  onAdded(listener: (operation: SlowOperation) => void): () => void {
    return this.added.on(listener);
  }

  /** The same for each operation whose description was completed. */
  onUpdated(listener: (operation: SlowOperation) => void): () => void {
    return this.updated.on(listener);
  }

  get droppedEvents(): number {
    return this.added.dropped + this.updated.dropped;
  }

  /** The operations of a type, or of all types, the newest first. */
  list(limit = this.capacity, type?: string): SlowOperation[] {
    const result: SlowOperation[] = [];
    const size = this.ring.length;
    for (let back = 1; back <= size && result.length < limit; back++) {
      const operation = this.ring[(this.next - back + this.capacity) % this.capacity]?.operation;
      if (operation !== undefined && (type === undefined || operation.type === type)) result.push(operation);
    }
    return result;
  }

  /** The operation with this id, if it is kept, with its waterfall. */
  get(id: string): DetailedSlowOperation | undefined {
    const kept = this.ring.find(({ operation }) => operation.id === id);
    if (kept?.recorded === undefined) return kept?.operation;
    const { operation, recorded } = kept;
    const { name, type, durationMs, error: failed } = operation;
    const { startedAt, completed } = recorded;
    return { ...operation, waterfall: waterfallOf({ name, type, startedAt, durationMs, failed }, completed) };
  }

  clear(): void {
    this.ring.length = 0;
    this.next = 0;
    this.added.dropped = 0;
    this.updated.dropped = 0;
  }

  /** Delivers the waiting events, and removes all listeners. */
  close(): void {
    this.added.close();
    this.updated.close();
  }
}
