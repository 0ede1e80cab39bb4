import { join, relative } from 'node:path';
import ts from 'typescript';

/** A place where a name that may be any is looked up in an object, which inherits `toString` and the like. */
export interface Lookup {
  /** `lib/cli/options.ts: options[name]` */
  readonly at: string;
  readonly line: number;
}

/** One program of the files of a folder that these `tsconfig.json` name, the options of the last one first. */
export function programOf(configs: readonly string[], folder: string): ts.Program {
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined };
  const parsed = configs.map((config) => {
    const read = ts.getParsedCommandLineOfConfigFile(config, {}, host);
    if (read === undefined) throw new Error(`${config} cannot be read`);
    return read;
  });
  const files = new Set(parsed.flatMap(({ fileNames }) => fileNames));
  return ts.createProgram(
    [...files].filter((file) => file.startsWith(folder)),
    Object.assign({}, ...parsed.map(({ options }) => options), { types: ['node'] }) as ts.CompilerOptions,
  );
}

/** A program of one file with this text. */
export function programWith(file: string, text: string): ts.Program {
  const options = { strict: true, target: ts.ScriptTarget.ES2022, lib: ['lib.es2022.d.ts'], types: [] };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (name) => name === file || fileExists(name);
  host.readFile = (name) => (name === file ? text : readFile(name));
  host.getSourceFile = (name, ...more) =>
    name === file
      ? ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true)
      : getSourceFile(name, ...more);
  return ts.createProgram([file], options, host);
}

/**
 * The look-ups in the files of a folder that find what an object inherits: by `object[name]`, `name in object`,
 * `for (name in object)`, `{ [name]: x } = object`, `Reflect.get`, `Reflect.has`, `Reflect.set`, `Object.assign` from a dictionary, and
 * `hasOwnProperty`. Not among them are names that the types restrict to some literals, and what
 * `Object.hasOwn(object, name) ? object[name] : …` guards.
 */
export function lookupsIn(program: ts.Program, root: string, folder: string): Lookup[] {
  const checker = program.getTypeChecker();
  const found: Lookup[] = [];
  for (const source of program.getSourceFiles()) {
    if (!source.fileName.startsWith(join(root, folder)) || source.isDeclarationFile) continue;
    const visit = (node: ts.Node): void => {
      if (isLookup(node, checker)) {
        const { line } = source.getLineAndCharacterOfPosition(node.getStart());
        const text = node.getText().replace(/\s+/g, ' ').slice(0, 80);
        found.push({ at: `${relative(root, source.fileName)}: ${text}`, line: line + 1 });
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return found;
}

function isLookup(node: ts.Node, checker: ts.TypeChecker): boolean {
  if (ts.isElementAccessExpression(node))
    return !isRestricted(node.argumentExpression, checker) && !isGuarded(node);
  if (ts.isForInStatement(node)) return true;
  if (ts.isBinaryExpression(node)) {
    const { operatorToken, left } = node;
    return operatorToken.kind === ts.SyntaxKind.InKeyword && !isLiteral(left);
  }
  if (ts.isBindingElement(node)) {
    const { propertyName } = node;
    return (
      propertyName !== undefined &&
      ts.isComputedPropertyName(propertyName) &&
      !isRestricted(propertyName.expression, checker)
    );
  }
  if (ts.isPropertyAccessExpression(node)) return node.name.text === 'hasOwnProperty';
  return ts.isCallExpression(node) && isCallThatLooksUp(node, checker);
}

function isCallThatLooksUp(
  { expression, arguments: given }: ts.CallExpression,
  checker: ts.TypeChecker,
): boolean {
  const [, second, ...further] = given;
  if (second === undefined) return false;
  const called = expression.getText();
  if (/^Reflect\.(?:get|has|set)$/.test(called)) return !isRestricted(second, checker);
  // Assigning `__proto__` gives the target another prototype.
  if (called !== 'Object.assign') return false;
  return [second, ...further].some(
    (one) => checker.getIndexInfoOfType(checker.getTypeAtLocation(one), ts.IndexKind.String) !== undefined,
  );
}

/** Whether an expression is a number, a symbol, or one of some literals: by its type, and not by the word of an `as`. */
function isRestricted(expression: ts.Expression, checker: ts.TypeChecker): boolean {
  let plain = expression;
  while (ts.isAsExpression(plain) || ts.isNonNullExpression(plain) || ts.isParenthesizedExpression(plain))
    plain = plain.expression;
  const type = checker.getNonNullableType(checker.getTypeAtLocation(plain));
  const constraint = checker.getBaseConstraintOfType(type) ?? type;
  const allowed = ts.TypeFlags.StringLiteral | ts.TypeFlags.NumberLike | ts.TypeFlags.ESSymbolLike;
  return (constraint.isUnion() ? constraint.types : [constraint]).every(
    ({ flags }) => (flags & allowed) !== 0,
  );
}

function isLiteral(expression: ts.Expression | ts.PrivateIdentifier): boolean {
  return ts.isStringLiteralLike(expression) || ts.isPrivateIdentifier(expression);
}

/** `Object.hasOwn(object, name) ? object[name] : …` */
function isGuarded(node: ts.ElementAccessExpression): boolean {
  const guard = `Object.hasOwn(${node.expression.getText()}, ${node.argumentExpression.getText()})`;
  const { parent } = node;
  return (
    ts.isConditionalExpression(parent) && parent.whenTrue === node && parent.condition.getText() === guard
  );
}
