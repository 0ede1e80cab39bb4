import 'reflect-metadata';

/** A method that calls another in place of the original, and looks like the original: name, length, properties, metadata. */
export function wrapMethod<T extends (this: unknown, ...args: never[]) => unknown>(
  original: T,
  call: (self: unknown, args: unknown[]) => unknown,
): T {
  // A method, as it has neither `prototype` nor [[Construct]].
  const { wrapper } = {
    wrapper(this: unknown, ...args: unknown[]): unknown {
      return call(this, args);
    },
  };
  Object.setPrototypeOf(wrapper, original);
  Object.defineProperty(wrapper, 'name', { value: original.name, configurable: true });
  Object.defineProperty(wrapper, 'length', { value: original.length, configurable: true });
  // Guards are metadata: losing one would open a route.
  for (const key of Reflect.getOwnMetadataKeys(original)) {
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, original), wrapper);
  }
  return wrapper as unknown as T;
}
