import { Observable, type Observer, type Operator, Subscriber, type Subscription } from 'rxjs';
import { guardedListener } from '../async/guarded-listener.js';

/**
 * An Observable whose subscribers cannot end the process. Rxjs throws what a subscriber throws in a timer, where nothing can
 * catch it, and ignores the promise that an async function returns. Here both go to `onError`, and so does an error of a
 * pipe if its subscriber does not handle errors. What `pipe` returns is guarded as well.
 */
export class GuardedObservable<T> extends Observable<T> {
  constructor(
    private readonly onError: (error: unknown) => void,
    subscribe?: ConstructorParameters<typeof Observable<T>>[0],
  ) {
    super(subscribe);
  }

  /** Rxjs derives the result of each operator by this method. @internal */
  override lift<R>(operator?: Operator<T, R>): Observable<R> {
    return Object.assign(new GuardedObservable<R>(this.onError), { source: this, operator });
  }

  override subscribe(
    given?: Partial<Observer<T>> | ((value: T) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription {
    // An operator's own, which passes on what happens to the subscriber behind it.
    if (given instanceof Subscriber) return super.subscribe(given);
    const observer = typeof given === 'object' && given !== null ? given : { next: given, error, complete };
    const guarded = <V>(name: 'next' | 'error' | 'complete'): ((value: V) => void) | undefined => {
      const listener = observer[name] as ((value: V) => unknown) | null | undefined;
      return typeof listener === 'function'
        ? guardedListener((value: V) => listener.call(observer, value), this.onError)
        : undefined;
    };
    const next = guarded<T>('next');
    const completed = guarded<void>('complete');
    return super.subscribe({
      ...(next === undefined ? {} : { next }),
      error: guarded<unknown>('error') ?? this.onError,
      ...(completed === undefined ? {} : { complete: completed }),
    });
  }
}
