import ts from 'typescript';
import { declaredType, docOf, exportedFrom, walk } from './program.mjs';
import { table } from './table.mjs';

/** The table of every option with its check, its default and its variables, as the built package has it. */
export const optionRules = (program) => exportedFrom(program, 'MONITOR_OPTIONS');

/**
 * The options as one table for each interface, starting at an interface and following the others by their symbols.
 * @param rules the checks and defaults of the options by their names; without them, the doc comments say both
 * @param path the heading of the first table, and what the names of the others begin with
 */
export function optionTables(program, name, rules = {}, path = '') {
  const sections = [];
  addSection(program, declaredType(program, name), path, rules, sections);
  return sections.filter(Boolean).join('\n\n');
}

function addSection(program, type, path, rules, sections) {
  const { checker } = program;
  const nested = [];
  const ofKind = type.isUnion() ? rules({ kind: kindsOf(checker, type.types[0])[0] }) : rules;
  const members = type.isUnion()
    ? commonMembers(checker, type)
    : inOrder(checker.getPropertiesOfType(type), ofKind);
  const rows = members.flatMap((member) => rowsOf(program, member, path, '', ofKind, nested));
  const doc = docOf(type.aliasSymbol ?? type.symbol, checker);
  if (path !== '') sections.push(`## ${path}`, doc);
  sections.push(optionTable(rows));
  if (type.isUnion()) sections.push('`kind` is one of:', kindTable(program, type, rules));
  for (const inner of nested) addSection(program, inner.type, inner.path, inner.rules, sections);
}

/** Inherited options stand where the rules have them. */
function inOrder(members, rules) {
  const names = Object.keys(rules);
  const place = ({ name }) => (names.includes(name) ? names.indexOf(name) : names.length);
  return [...members].sort((a, b) => place(a) - place(b));
}

function optionTable(rows) {
  return table(
    ['option', 'accepts', 'default', 'environment', 'meaning'],
    rows.map(({ name, accepts, fallback, variables, meaning }) => [
      code(name),
      accepts,
      fallback,
      variables.map(code).join(', '),
      meaning,
    ]),
  );
}

/** One row, or several for an object whose type has no name: its members stand in the same table. */
function rowsOf(program, member, path, prefix, rules, nested) {
  const { checker } = program;
  const name = prefix + member.name;
  const rule = rules[member.name];
  const type = typeOf(checker, member);
  const inner = checker.isArrayType(type) ? checker.getTypeArguments(type)[0] : type;
  const row = { ...describe(program, member, rule), name };
  if (!isGroup(program, inner)) return [row];
  if (inner === type && inner.symbol.name === '__type') {
    const members = checker.getPropertiesOfType(inner);
    const rest = members.flatMap((each) => rowsOf(program, each, path, `${name}.`, rule ?? {}, nested));
    return [{ ...row, accepts: 'an object', fallback: '' }, ...rest];
  }
  const full = [path, name].filter(Boolean).join('.');
  const isList = inner !== type;
  const innerPath = isList ? `${full}[]` : full;
  nested.push({ type: inner, path: innerPath, rules: isList ? itemRules(inner, rule) : (rule ?? {}) });
  const anchor = innerPath.toLowerCase().replace(/[^\w-]/g, '');
  const [firstSentence] = docOf(inner.aliasSymbol ?? inner.symbol, checker).split(/(?<=\.) /);
  return [
    {
      ...row,
      accepts: `${isList ? 'a list of' : ''} [${isList ? 'objects' : 'an object'}](#${anchor})`.trim(),
      fallback: isList ? code('[]') : row.fallback === 'none' ? '' : row.fallback,
      meaning: row.meaning || firstSentence,
    },
  ];
}

/** The rules of the items of a list: for items of several kinds, a function of the item. */
function itemRules(type, list) {
  if (list === undefined) return {};
  return type.isUnion() ? (item) => list.shapeOf(item) : list.shapeOf({});
}

function describe(program, member, rule) {
  const { checker } = program;
  const sentences = docOf(member, checker).split(/(?<=[.;])\s+(?=[A-Z`])/);
  const stated = sentences.find((sentence) => sentence.startsWith('Default'));
  const inWords = stated?.replace(/^Default(?: is)?:? /, '').replace(/\.$/, '');
  const isOptional = rule?.required !== true && (member.flags & ts.SymbolFlags.Optional) !== 0;
  const known = defaultOf(rule);
  const isShown =
    known === undefined || rule.defaultText || inWords?.split(/\W/)[0] === known.replace(/\W/g, '');
  return {
    accepts: rule?.allowed ? asText(rule.allowed) : code(typeText(checker, typeOf(checker, member))),
    fallback: known ?? codeIfValue(inWords) ?? (isOptional ? 'none' : 'required'),
    variables: rule?.variables?.names ?? [],
    meaning: sentences.filter((sentence) => sentence !== '' && !(sentence === stated && isShown)).join(' '),
  };
}

function defaultOf(rule) {
  if (rule?.defaultText !== undefined) return rule.defaultText;
  const value = rule?.default;
  if (value === undefined || typeof value === 'function') return undefined;
  return code(typeof value === 'string' ? `'${value}'` : JSON.stringify(value));
}

/** Fields that every kind of a union has. */
function commonMembers(checker, union) {
  const [first, ...others] = union.types.map((type) => checker.getPropertiesOfType(type));
  const names = others.map((members) => new Set(members.map(({ name }) => name)));
  return first.filter(({ name }) => name !== 'kind' && names.every((set) => set.has(name)));
}

const kindsOf = (checker, type) =>
  typeText(checker, checker.getTypeOfSymbol(type.getProperty('kind')))
    .replaceAll("'", '')
    .split(' | ');

function kindTable(program, union, rules) {
  const { checker } = program;
  const common = new Set(commonMembers(checker, union).map(({ name }) => name));
  const rows = union.types.map((type) => {
    const kinds = kindsOf(checker, type);
    const ofKind = rules({ kind: kinds[0] });
    const own = checker
      .getPropertiesOfType(type)
      .filter(({ name }) => name !== 'kind' && !common.has(name))
      .map((member) => fieldText(member.name, describe(program, member, ofKind[member.name])));
    return [kinds.map(code).join(', '), docOf(type.symbol, checker), own.join('<br>')];
  });
  return table(['kind', 'meaning', 'its own fields'], rows);
}

function fieldText(name, { accepts, fallback, meaning }) {
  const absent = fallback === 'required' ? ', required' : fallback === 'none' ? '' : `, default ${fallback}`;
  return `${code(name)}: ${accepts}${absent}. ${meaning}`.trim();
}

/** An object of options: the sources declare it, and it holds data. */
function isGroup({ checker, files }, type) {
  if (type.isUnion())
    return type.types.every((each) => each.isClassOrInterface() && isGroup({ checker, files }, each));
  const [declaration] = type.symbol?.declarations ?? [];
  if (declaration === undefined || !files.includes(declaration.getSourceFile())) return false;
  if (!ts.isInterfaceDeclaration(declaration) && !ts.isTypeLiteralNode(declaration)) return false;
  const members = checker.getPropertiesOfType(type);
  return members.length > 0 && members.every(({ flags }) => (flags & ts.SymbolFlags.Method) === 0);
}

const typeOf = (checker, member) => checker.getNonNullableType(checker.getTypeOfSymbol(member));

function typeText(checker, type) {
  const flags = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseSingleQuotesForStringLiteralType;
  const parts = checker
    .typeToString(type, undefined, flags)
    .replace(/ \| undefined/g, '')
    .split(' | ');
  // The compiler lists words in the order in which it met them, which a file that moves may change.
  return (parts.every((part) => part.startsWith("'")) ? parts.sort() : parts).join(' | ');
}

const code = (text) => `\`${text}\``;
const codeIfValue = (text) => (/^(?:true|false|[\d.]+)$/.test(text ?? '') ? code(text) : text);
/** What looks like a link or an element in Markdown stays text. */
const asText = (text) => text.replace(/[<>*_[\]]/g, '\\$&');

/** A variable that the sources read and no table names would be known to its author alone. */
export function assertVariables({ files }, text) {
  walk(files, (node) => {
    if (ts.isStringLiteral(node) && /^OTEL_[A-Z_]+$/.test(node.text) && !text.includes(node.text))
      throw new Error(`${node.getSourceFile().fileName} reads ${node.text}, which no table names`);
  });
}
