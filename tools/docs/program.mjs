import { dirname, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';

/** The sources of the package, type-checked once: whatever file a declaration is in, it is found by its name. */
export function readProgram(root) {
  const config = resolve(root, 'tsconfig.build.json');
  const { config: json } = ts.readConfigFile(config, ts.sys.readFile);
  const { fileNames, options } = ts.parseJsonConfigFileContent(json, ts.sys, dirname(config));
  const program = ts.createProgram(fileNames, { ...options, noEmit: true });
  const files = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(resolve(root, 'lib')));
  return { root, checker: program.getTypeChecker(), files };
}

/** Calls `visit` with every node of the sources. */
export function walk(files, visit) {
  const enter = (node) => {
    visit(node);
    ts.forEachChild(node, enter);
  };
  for (const file of files) enter(file);
}

/** The type of this name that a source file declares. */
export function declaredType({ checker, files }, name) {
  const isDeclaration = (node) =>
    ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) || ts.isClassDeclaration(node);
  for (const file of files)
    for (const statement of file.statements)
      if (isDeclaration(statement) && statement.name?.text === name)
        return checker.getTypeAtLocation(statement.name);
  throw new Error(`The sources declare no type ${name}`);
}

/** A value that a source file exports under this name, from the built package. */
export async function exportedFrom({ root, checker, files }, name) {
  for (const file of files) {
    const module = checker.getSymbolAtLocation(file);
    if (!module?.exports?.has(name)) continue;
    const built = resolve(root, 'dist/modules', relative(resolve(root, 'lib'), file.fileName)).replace(
      /\.ts$/,
      '.js',
    );
    return (await import(pathToFileURL(built)))[name];
  }
  throw new Error(`The sources export no ${name}`);
}

/** The doc comment of a symbol as one paragraph, without its tags. */
export function docOf(symbol, checker) {
  return oneLine(
    ts
      .displayPartsToString(symbol.getDocumentationComment(checker))
      .replace(/\{@link (?:[\w.]+\.)?(\w+)(?:\(\))?\}/g, '`$1`'),
  );
}

export const oneLine = (text) => text.replace(/\s+/g, ' ').trim();
