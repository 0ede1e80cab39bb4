/** An own property of an object. Inherited ones are ignored: `toString` is a name like any other. */
export function own<T>(object: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
