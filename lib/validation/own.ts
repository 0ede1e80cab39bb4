/** The member that an object itself has, and none that it inherits: `toString` is a name like any other. */
export function own<T>(object: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
