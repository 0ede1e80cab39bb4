// Not the global one, which a test of the application may have replaced.
import { setImmediate } from 'node:timers';

/** A listener's error must not reach the operation that it was told of. */
type Listener<T> = (event: T) => void;

/** How many events wait for their listeners; more than that in one turn of the event loop are dropped. */
const MAX_WAITING = 1000;

/**
 * Tells listeners of events, after the operation that caused them: in a later turn of the event loop, outside its
 * time and its context. Without listeners nothing is queued.
 */
export class DeferredEmitter<T> {
  private readonly listeners = new Set<Listener<T>>();
  private waiting: T[] = [];
  /** DeferredEmitter that found the queue full. */
  dropped = 0;

  constructor(private readonly onError: (error: unknown) => void) {}

  /** Adds a listener. Returns what removes it. */
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

  /** Delivers what waits now. */
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

  /** Removes every listener, after they have heard what waits. */
  close(): void {
    this.deliver();
    this.listeners.clear();
  }
}
