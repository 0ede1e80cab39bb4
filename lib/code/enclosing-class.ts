/** How far up a class is looked for. */
const MAX_LINES = 10_000;

/** `class Shop {`, `let Shop = Shop_1 = class Shop {`, `var Shop = class extends Base {`, and no sentence about a class. */
const CLASS = /(?:^|[\s;=(])class(?:\s+(?!extends\b)([\w$]+))?\b.*\{\s*(?:\/[/*].*)?$/;
const VARIABLE = /([\w$]+)\s*=\s*class\b/;
const CONSTRUCTOR = /^\s*constructor\s*\(/;

/**
 * The class that a method belongs to, by the text of its file: V8's profiles name methods without it. The line above
 * that is indented less must be the class's; where the code is not indented, as minified code is, there is no answer.
 * @param lines of the file that runs
 * @param line where the method is defined, from 1 on
 */
export function enclosingClass(lines: readonly string[], line: number, name: string): string | undefined {
  const definition = lines[line - 1];
  // Loaders run another text than the one on disk.
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

/** The characters of white space that a line begins with. */
export function indentation(text: string): number {
  return text.length - text.trimStart().length;
}
