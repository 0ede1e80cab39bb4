// Not the global one, which a test of the application may have replaced.
import { setImmediate } from 'node:timers';
import { guardedListener } from './guarded-listener.js';

/** Events that may wait for delivery. Further ones in the same turn of the event loop are dropped. */
const MAX_WAITING = 1000;

/**
 * Delivers events to listeners in a later turn of the event loop, outside the time and the context of the operation that
 * caused them. The errors of listeners, thrown or by a rejected promise, are passed to `onError`: of consecutive ones of a
 * listener, the first. Without listeners, nothing is queued.
 */
export class DeferredEmitter<T> {
  private readonly listeners = new Map<symbol, (event: T) => void>();
  private waiting: T[] = [];
  /** The number of events that were dropped because too many were waiting. */
  dropped = 0;

  /** @param events what they are, for `onError`: `slow operations` */
  constructor(
    private readonly onError: (error: unknown, events: string) => void,
    private readonly events = 'events',
  ) {}

  get hasListeners(): boolean {
    return this.listeners.size > 0;
  }

  /** Adds a listener. Returns a function that removes it. */
  on(listener: (event: T) => unknown): () => void {
    const key = Symbol('listener');
    this.listeners.set(
      key,
      guardedListener(listener, (error) => this.onError(error, this.events)),
    );
    return () => this.listeners.delete(key);
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
      // A copy: a listener that replaces itself would otherwise be called forever.
      for (const [key, listener] of [...this.listeners]) if (this.listeners.has(key)) listener(event);
    }
  }

  /** Delivers the waiting events, and removes all listeners. */
  close(): void {
    this.deliver();
    this.listeners.clear();
  }
}
