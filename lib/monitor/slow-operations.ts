import type { DetailedSlowOperation, SlowOperation } from '../explain/slow-operation.js';
import type { CompletedSpans } from '../spans/completed-spans.js';
import { waterfallOf } from '../spans/waterfall.js';

/** What a waterfall is made of: numbers and names. It is made when somebody asks. */
export interface RecordedSpans {
  readonly ended: CompletedSpans;
  /** When the operation began, on the clock of those. */
  readonly startedAt: number;
}

interface Kept {
  readonly operation: SlowOperation;
  readonly recorded: RecordedSpans | undefined;
}

/** The last slow operations, the newest first; the oldest makes room. */
export class SlowOperations {
  private readonly ring: Kept[] = [];
  private next = 0;

  constructor(private readonly capacity: number) {}

  /** @param recorded what ended below it, where something did */
  add(operation: SlowOperation, recorded?: RecordedSpans): void {
    this.ring[this.next] = { operation, recorded };
    this.next = (this.next + 1) % this.capacity;
  }

  /** The newest first, at most `limit`, of one type where it is given. */
  list(limit = this.capacity, type?: string): SlowOperation[] {
    const result: SlowOperation[] = [];
    const size = this.ring.length;
    for (let back = 1; back <= size && result.length < limit; back++) {
      const operation = this.ring[(this.next - back + this.capacity) % this.capacity]?.operation;
      if (operation !== undefined && (type === undefined || operation.type === type)) result.push(operation);
    }
    return result;
  }

  /** The one with this id while it is kept, with its waterfall. */
  get(id: string): DetailedSlowOperation | undefined {
    const kept = this.ring.find(({ operation }) => operation.id === id);
    if (kept?.recorded === undefined) return kept?.operation;
    const { operation, recorded } = kept;
    const { name, type, durationMs, error: failed } = operation;
    const { startedAt, ended } = recorded;
    return { ...operation, waterfall: waterfallOf({ name, type, startedAt, durationMs, failed }, ended) };
  }

  clear(): void {
    this.ring.length = 0;
    this.next = 0;
  }
}
