// Not the global one, which a test of the application may have replaced.
import { setImmediate } from 'node:timers';

type Listener<T> = (event: T) => void;

/** Events that may wait for delivery. Further ones in the same turn of the event loop are dropped. */
const MAX_WAITING = 1000;

/**
 * Delivers events to listeners in a later turn of the event loop, outside the time and the context of the operation that
 * caused them. The errors of listeners are passed to `onError`. Without listeners, nothing is queued.
 */
export class DeferredEmitter<T> {
  private readonly listeners = new Set<Listener<T>>();
  private waiting: T[] = [];
  /** The number of events that were dropped because too many were waiting. */
  dropped = 0;

  constructor(private readonly onError: (error: unknown) => void) {}

  /** Adds a listener. Returns a function that removes it. */
  on(listener: Listener<T>): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  emit(event: T): void {
    if (this.listeners.size === 0) return;
    if (this.waiting.length >= MAX_WAITING) {
      this.dropped++;
      return;
    }
    if (this.waiting.push(event) === 1) setImmediate(() => this.deliver());
  }

  /** Delivers the waiting events now. */
  deliver(): void {
    const events = this.waiting;
    this.waiting = [];
    for (const event of events) {
      for (const listener of this.listeners) {
        try {
          listener(event);
        } catch (error) {
          this.onError(error);
        }
      }
    }
  }

  /** Delivers the waiting events, and removes all listeners. */
  close(): void {
    this.deliver();
    this.listeners.clear();
  }
}
