import { inspect } from 'node:util';
import { promiseHooks } from 'node:v8';

/** Receives the outcome of a promise. Its methods must not throw. */
export interface PromiseListener {
  /** @param value undefined if nobody waits for the promise */
  fulfilled(value: unknown): void;
  /** @param reason an error of the same name if nobody waits for the promise */
  rejected(reason: unknown): void;
  /** Too many promises are pending that nobody waits for: the outcome will not be known. */
  lost(): void;
}

/**
 * How many promises that nobody waits for are observed at once: more than an application starts before it waits for all of
 * them. Those that never settle would accumulate, so the oldest is given up for a new one.
 */
export const MAX_UNCLAIMED = 10_000;

const { then } = Promise.prototype;
const SETTLED = Promise.resolve();
const PENDING = /^[^{]*\{\s*<pending>/;
const REJECTED = /^[^{]*\{\s*<rejected> ([\w$]*)/;
/** Shows the state of a promise without running code of what it holds, apart from the stack of an error. */
const STATE = {
  depth: 0,
  customInspect: false,
  getters: false,
  showProxy: true,
  maxStringLength: 0,
} as const;

/** Of this process: a test may replace the method. */
const nextTick = process.nextTick.bind(process);

let unclaimed = new Map<Promise<unknown>, PromiseListener[]>();
let toCheck: Promise<unknown>[] = [];
/** Rejections that nobody handles yet. */
let unhandled: { readonly promise: Promise<unknown>; readonly error: Error }[] = [];
let stop: (() => void) | undefined;

/**
 * Observes a promise without a trace: it remains the same, no microtask of others moves, and a rejection that nobody
 * handles stays unhandled.
 *
 * A reaction of ours would make each rejection a handled one. So it is added only when someone else adds one, which V8's
 * hooks report. Until then the hooks report when the promise settles. They are off while every observed promise has
 * someone who waits for it, since they slow down all promises of the process (about 25 ns each).
 */
export function observePromise(promise: Promise<unknown>, listener: PromiseListener): void {
  const listeners = unclaimed.get(promise);
  if (listeners !== undefined) {
    listeners.push(listener);
    return;
  }
  stop ??= promiseHooks.createHook({ init, settled }) as () => void;
  if (unclaimed.size >= MAX_UNCLAIMED) loseOldest();
  unclaimed.set(promise, [listener]);
  check(promise);
}

function loseOldest(): void {
  for (const [promise, listeners] of unclaimed) {
    unclaimed.delete(promise);
    for (const listener of listeners) listener.lost();
    return;
  }
}

/** @param parent the promise that `then` is called on or that is awaited */
function init(_promise: Promise<unknown>, parent: Promise<unknown> | undefined): void {
  const listeners = parent === undefined ? undefined : unclaimed.get(parent);
  if (listeners === undefined) return;
  unclaimed.delete(parent as Promise<unknown>);
  Reflect.apply(then, parent, [
    (value: unknown) => {
      for (const listener of listeners) listener.fulfilled(value);
    },
    (reason: unknown) => {
      for (const listener of listeners) listener.rejected(reason);
    },
  ]);
}

function settled(promise: Promise<unknown>): void {
  if (unclaimed.has(promise)) check(promise);
}

/** Looks at the state of a promise in a later microtask, unless someone waits for it by then. */
function check(promise: Promise<unknown>): void {
  if (toCheck.push(promise) === 1) Reflect.apply(then, SETTLED, [checkAll]);
}

function checkAll(): void {
  const promises = toCheck;
  toCheck = [];
  for (const promise of promises) {
    const listeners = unclaimed.get(promise);
    const state = listeners === undefined ? undefined : stateOf(promise);
    if (listeners === undefined || state === undefined) continue;
    if (state.error === undefined) {
      unclaimed.delete(promise);
      for (const listener of listeners) listener.fulfilled(undefined);
    } else if (unhandled.push({ promise, error: state.error }) === 1) nextTick(checkUnhandled);
  }
  stopIfIdle();
}

/**
 * An async function that returns a promise waits for it some microtasks later, and only then the error itself is known. What
 * is unhandled after all microtasks stays so, at least until Node.js has reported it.
 */
function checkUnhandled(): void {
  const rejections = unhandled;
  unhandled = [];
  for (const { promise, error } of rejections) {
    const listeners = unclaimed.get(promise);
    if (listeners === undefined) continue;
    unclaimed.delete(promise);
    for (const listener of listeners) listener.rejected(error);
  }
  stopIfIdle();
}

function stopIfIdle(): void {
  if (unclaimed.size > 0) return;
  // A map that grows old would keep what it held until the next major collection.
  unclaimed = new Map();
  stop?.();
  stop = undefined;
}

/** Undefined for a pending promise. */
function stateOf(promise: Promise<unknown>): { error?: Error } | undefined {
  let shown: string;
  try {
    shown = inspect(promise, STATE);
  } catch {
    // An error whose own properties throw.
    return { error: new Error() };
  }
  if (PENDING.test(shown)) return undefined;
  const name = REJECTED.exec(shown)?.[1];
  return name === undefined ? {} : { error: Object.assign(new Error(), { name: name || 'Error' }) };
}
