import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

/** One import of a file by another, of types included. Paths are relative to `lib`. */
export interface Import {
  readonly from: string;
  readonly to: string;
}

/** Every import between the files of a folder: static, dynamic, re-exports, and types named by `import()`. */
export function importsIn(root: string): {
  readonly files: readonly string[];
  readonly imports: readonly Import[];
} {
  const files = ts.sys.readDirectory(root, ['.ts', '.tsx'], ['**/*.d.ts']).map((file) => resolve(file));
  const known = new Set(files);
  const imports: Import[] = [];
  for (const file of files) {
    const source = ts.createSourceFile(file, ts.sys.readFile(file) ?? '', ts.ScriptTarget.Latest);
    const visit = (node: ts.Node): void => {
      const name = moduleOf(node);
      const to = name?.startsWith('.') ? fileOf(join(dirname(file), name), known) : undefined;
      if (to !== undefined) imports.push({ from: relative(root, file), to: relative(root, to) });
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return { files: files.map((file) => relative(root, file)), imports };
}

function moduleOf(node: ts.Node): string | undefined {
  if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier !== undefined)
    return ts.isStringLiteral(node.moduleSpecifier) ? node.moduleSpecifier.text : undefined;
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [argument] = node.arguments;
    return argument !== undefined && ts.isStringLiteral(argument) ? argument.text : undefined;
  }
  if (
    ts.isImportTypeNode(node) &&
    ts.isLiteralTypeNode(node.argument) &&
    ts.isStringLiteral(node.argument.literal)
  )
    return node.argument.literal.text;
  return undefined;
}

/** The source of a module that is imported by the name of its output. */
function fileOf(path: string, known: ReadonlySet<string>): string | undefined {
  const stem = path.replace(/\.js$/, '');
  return [`${stem}.ts`, `${stem}.tsx`].find((candidate) => known.has(candidate));
}

/** Groups of files that import each other in a circle. */
export function circlesIn(imports: readonly Import[]): string[][] {
  const targets = new Map<string, string[]>();
  for (const { from, to } of imports) targets.set(from, [...(targets.get(from) ?? []), to]);
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[][] = [];
  // Tarjan, "Depth-first search and linear graph algorithms", 1972.
  const visit = (file: string): void => {
    order.set(file, order.size);
    lowest.set(file, order.get(file) as number);
    stack.push(file);
    for (const to of targets.get(file) ?? []) {
      if (!order.has(to)) visit(to);
      if (stack.includes(to))
        lowest.set(file, Math.min(lowest.get(file) as number, lowest.get(to) as number));
    }
    if (lowest.get(file) !== order.get(file)) return;
    const circle = stack.splice(stack.indexOf(file));
    if (circle.length > 1) circles.push(circle);
  };
  for (const file of targets.keys()) if (!order.has(file)) visit(file);
  return circles;
}
