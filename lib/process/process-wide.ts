/**
 * The one instance of this process under a name, made on first use. The global object holds it under a registered symbol,
 * because the ESM build, the CommonJS build and other copies of this package may be loaded together.
 * @param scope the global object, where it is not that of the calling code
 */
export function processWide<T>(name: string, create: () => T, scope: object = globalThis): T {
  const holder = scope as Record<symbol, T | undefined>;
  const key = symbolOf(name);
  holder[key] ??= create();
  return holder[key];
}

/** The instance that {@link processWide} made, of whichever copy of this package. */
export function existingProcessWide<T>(name: string): Partial<T> | undefined {
  return (globalThis as Record<symbol, unknown>)[symbolOf(name)] as Partial<T> | undefined;
}

/** An expression that evaluates to the instance, for code that cannot import it. */
export function processWideExpression(name: string): string {
  return `globalThis[Symbol.for(${JSON.stringify(`nestjs-performance.${name}`)})]`;
}

function symbolOf(name: string): symbol {
  return Symbol.for(`nestjs-performance.${name}`);
}
