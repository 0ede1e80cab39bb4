import { types } from 'node:util';
import { processWide } from '../../async/process-wide.js';
import { wrapMethod } from '../decorators/wrap-method.js';

export type Method = (this: unknown, ...args: never[]) => unknown;

/** Measures the calls of a handler. */
export interface Handler {
  /** Calls the method, and returns or throws what it does. */
  call(method: Method, self: unknown, args: unknown[]): unknown;
}

/** A wrapper in place of a method, shared by the applications of the process that have the class. */
interface Wrapper {
  readonly original: Method;
  /** By the prototype of the instance: a method of a base class may handle different things in each class. */
  readonly handlers: WeakMap<object, Handler>;
  /** Measures the calls on instances of all other classes that inherit the method. */
  inherited: Handler | undefined;
  /** That of the last call, and for whose instances: nearly always the same, and cheaper than to look it up. */
  last: { readonly prototype: object; readonly handler: Handler } | undefined;
  users: number;
}

/** The wrappers by themselves, whichever copy of this package made them. */
const wrappers = processWide('method-wrappers', () => new WeakMap<object, Wrapper>());

/** Wraps methods on prototypes, where Nest finds them later, until they are restored. */
export class MethodWrappers {
  private readonly used: { owner: object; name: string; wrapped: Method; wrapper: Wrapper }[] = [];
  private readonly known = new WeakMap<object, Set<string>>();

  /**
   * Measures a method of the instances of a prototype by a handler. Does nothing for what is no method, cannot be
   * replaced, or is measured already.
   * @param isInherited whether the handler measures the instances of classes that inherit the method, too
   */
  add(
    prototype: object,
    name: string,
    createHandler: (method: Method) => Handler | undefined,
    isInherited = false,
  ): void {
    const names = this.known.get(prototype) ?? new Set();
    if (names.has(name)) return;
    const found = methodOf(prototype, name);
    const handler = found === undefined ? undefined : createHandler(found.method);
    if (found === undefined || handler === undefined) return;
    const { owner, descriptor, method } = found;
    let wrapped = method;
    let wrapper = wrappers.get(method);
    if (wrapper === undefined) {
      wrapper = {
        original: method,
        handlers: new WeakMap(),
        inherited: undefined,
        last: undefined,
        users: 0,
      };
      wrapped = wrap(wrapper);
      if (!Reflect.defineProperty(owner, name, { ...descriptor, value: wrapped })) return;
      wrappers.set(wrapped, wrapper);
    }
    wrapper.handlers.set(prototype, handler);
    wrapper.last = undefined;
    if (isInherited) wrapper.inherited = handler;
    wrapper.users++;
    this.used.push({ owner, name, wrapped, wrapper });
    this.known.set(prototype, names.add(name));
  }

  /** Restores the methods that no other application measures. One that was replaced since then stays as it is. */
  restore(): void {
    for (const { owner, name, wrapped, wrapper } of this.used.splice(0)) {
      if (--wrapper.users > 0) continue;
      const descriptor = Object.getOwnPropertyDescriptor(owner, name);
      if (descriptor?.value === wrapped)
        Reflect.defineProperty(owner, name, { ...descriptor, value: wrapper.original });
    }
  }
}

function wrap(wrapper: Wrapper): Method {
  const { original } = wrapper;
  return wrapMethod(original, (self, args) => {
    const handler = wrapper.users > 0 ? handlerOf(self, wrapper) : undefined;
    return handler === undefined ? Reflect.apply(original, self, args) : handler.call(original, self, args);
  });
}

function handlerOf(self: unknown, wrapper: Wrapper): Handler | undefined {
  if (typeof self !== 'object' || self === null || types.isProxy(self)) return undefined;
  const prototype = Object.getPrototypeOf(self) as object | null;
  if (prototype === null) return undefined;
  const { last, handlers, inherited } = wrapper;
  if (last?.prototype === prototype) return last.handler;
  const handler = handlers.get(prototype) ?? inherited;
  if (handler !== undefined) wrapper.last = { prototype, handler };
  return handler;
}

/** A method of the instances of a prototype, and where it is defined. Runs no getter. */
function methodOf(
  prototype: object,
  name: string,
): { owner: object; descriptor: PropertyDescriptor; method: Method } | undefined {
  for (
    let owner: object | null = prototype;
    owner !== null && owner !== Object.prototype && !types.isProxy(owner);
    owner = Object.getPrototypeOf(owner) as object | null
  ) {
    const descriptor = Object.getOwnPropertyDescriptor(owner, name);
    if (descriptor === undefined) continue;
    return typeof descriptor.value === 'function'
      ? { owner, descriptor, method: descriptor.value as Method }
      : undefined;
  }
  return undefined;
}
