import ts from 'typescript';
import { declaredType, docOf } from './program.mjs';
import { table } from './table.mjs';

/** The fields of a type that the API answers with, inherited ones included. */
export function fieldTable(program, name) {
  const { checker } = program;
  const rows = checker.getPropertiesOfType(declaredType(program, name)).map((member) => {
    const optional =
      checker.getTypeOfSymbol(member) !== checker.getNonNullableType(checker.getTypeOfSymbol(member));
    return [`\`${member.name}\`${optional ? ' (optional)' : ''}`, docOf(member, checker)];
  });
  return table(['field', 'meaning'], rows);
}

/** The words of a type that is a list of words, each with what `descriptions` says of it: none missing, none left over. */
export function wordTable(program, name, head, descriptions) {
  const words = declaredType(program, name).types?.map(({ value }) => value) ?? [];
  const missing = words.filter((word) => !descriptions.has(word));
  const left = [...descriptions.keys()].filter((word) => !words.includes(word));
  if (missing.length > 0 || left.length > 0)
    throw new Error(`The description of ${name} misses [${missing}] and has [${left}] too many`);
  return table(
    head,
    [...descriptions].map(([word, cells]) => [`\`${word}\``, ...cells]),
  );
}

/** The public members of a class, without those that Nest calls. */
export function memberTable(program, name) {
  const { checker } = program;
  const rows = checker.getPropertiesOfType(declaredType(program, name)).flatMap((member) => {
    const declaration = member.valueDeclaration;
    const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
    const isInternal = ts.getJSDocTags(declaration).some(({ tagName }) => tagName.text === 'internal');
    const isHidden = (ts.getCombinedModifierFlags(declaration) & hidden) !== 0;
    if (isHidden || isInternal || /^on[A-Z]/.test(member.name)) return [];
    const parameters = (declaration.parameters ?? []).map(
      ({ name, questionToken, initializer }) =>
        name.getText() + (questionToken === undefined && initializer === undefined ? '' : '?'),
    );
    const shown = ts.isMethodDeclaration(declaration)
      ? `${member.name}(${parameters.join(', ')})`
      : member.name;
    return [[`\`${shown}\``, docOf(member, checker)]];
  });
  return table(['member', 'meaning'], rows);
}
