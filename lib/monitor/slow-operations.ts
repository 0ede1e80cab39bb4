import type { SlowOperation } from './operation.js';

/** The last slow operations, the newest first; the oldest makes room. */
export class SlowOperations {
  private readonly ring: (SlowOperation | undefined)[] = [];
  private next = 0;

  constructor(private readonly capacity: number) {}

  add(operation: SlowOperation): void {
    this.ring[this.next] = operation;
    this.next = (this.next + 1) % this.capacity;
  }

  /** The newest first, at most `limit`, of one type where it is given. */
  list(limit = this.capacity, type?: string): SlowOperation[] {
    const result: SlowOperation[] = [];
    const size = this.ring.length;
    for (let back = 1; back <= size && result.length < limit; back++) {
      const operation = this.ring[(this.next - back + this.capacity) % this.capacity];
      if (operation !== undefined && (type === undefined || operation.type === type)) result.push(operation);
    }
    return result;
  }

  /** The one with this id while it is kept. */
  get(id: string): SlowOperation | undefined {
    return this.ring.find((operation) => operation?.id === id);
  }

  clear(): void {
    this.ring.length = 0;
    this.next = 0;
  }
}
