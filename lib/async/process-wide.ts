/**
 * The one instance of this process under a name, made on first use. The global object holds it under a registered symbol,
 * because the ESM build, the CommonJS build and other copies of this package may be loaded together.
 *
 * It holds a function that returns the instance: Jest removes the properties of what a test file has left on the global
 * object, while timers of an application that was not closed still use them.
 * @param scope the global object, where it is not that of the calling code
 */
export function processWide<T>(name: string, create: () => T, scope: object = globalThis): T {
  const holder = scope as Record<symbol, (() => T) | undefined>;
  const key = symbolOf(name);
  let get = holder[key];
  if (get === undefined) {
    const instance = create();
    get = () => instance;
    holder[key] = get;
  }
  return get();
}

/** The instance that {@link processWide} made, of whichever copy of this package. */
export function existingProcessWide<T>(name: string): Partial<T> | undefined {
  return (globalThis as Record<symbol, (() => Partial<T>) | undefined>)[symbolOf(name)]?.();
}

/** An expression that evaluates to the instance, for code that cannot import it. */
export function processWideExpression(name: string): string {
  return `globalThis[Symbol.for(${JSON.stringify(`nestjs-performance.${name}`)})]?.()`;
}

/** Settings by the names of their options. */
export type ProcessWideSettings = Readonly<Record<string, string | number | boolean | undefined>>;

/** The names of the settings that differ from those that another module of this process has determined. */
export function refusedSettings(determined: ProcessWideSettings, wanted: ProcessWideSettings): string[] {
  const given = new Map(Object.entries(wanted));
  return Object.entries(determined).flatMap(([name, value]) => (value === given.get(name) ? [] : [name]));
}

function symbolOf(name: string): symbol {
  return Symbol.for(`nestjs-performance.${name}`);
}
