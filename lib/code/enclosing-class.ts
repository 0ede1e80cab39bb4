/** The number of lines searched for the class. */
const MAX_LINES = 10_000;

/**
 * `class Shop {`, `let Shop = Shop_1 = class Shop {`, `var Shop = class extends Base {`, but no sentence about a class.
 */
const CLASS = /(?:^|[\s;=(])class(?:\s+(?!extends\b)([\w$]+))?\b.*\{\s*(?:\/[/*].*)?$/;
const VARIABLE = /([\w$]+)\s*=\s*class\b/;
const CONSTRUCTOR = /^\s*constructor\s*\(/;

/**
 * The class of a method, from the text of its file, because V8's profiles name methods without it. The nearest line
 * above with less indentation must be the class's. Returns undefined if the code is not indented, as in minified files.
 * @param lines of the file that runs
 * @param line where the method is defined, 1-based
 */
export function enclosingClass(lines: readonly string[], line: number, name: string): string | undefined {
  const definition = lines[line - 1];
  // The text on disk may differ from the code that runs, which a loader may have transformed.
  if (definition === undefined || name === '') return undefined;
  // V8 gives a constructor the name of its class.
  const constructs = CONSTRUCTOR.test(definition);
  if (!constructs && !definition.includes(name)) return undefined;
  const depth = indentation(definition);
  if (depth === 0) return undefined;
  for (let above = line - 2; above >= Math.max(0, line - MAX_LINES); above--) {
    const text = lines[above] as string;
    if (text.trim() === '' || indentation(text) >= depth) continue;
    const match = CLASS.exec(text);
    if (match === null) return undefined;
    const type = match[1] ?? VARIABLE.exec(text)?.[1];
    return constructs && name !== 'constructor' && name !== type ? undefined : type;
  }
  return undefined;
}

/** The number of leading white-space characters. */
export function indentation(text: string): number {
  return text.length - text.trimStart().length;
}
