/** A column as a condition names it. */
export interface ColumnName {
  /** The name of its table within the statement, where it is qualified. */
  readonly table: string | undefined;
  readonly column: string;
  /** It is read as text: as it is in a column of text, and no longer comparable with an index in any other. */
  readonly asText: boolean;
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

/** Words that are no columns. */
const CONSTANTS = words(
  `null true false now current_date current_time current_timestamp localtime localtimestamp default any some all array
   interval date time timestamp datetime cast as select case when exists row not and or in is between`,
);
/** Words of a value. None of them reads a column. */
const IN_VALUES = words(
  `null true false now current_date current_time current_timestamp localtime localtimestamp any some array interval date
   time timestamp datetime cast as char signed unsigned decimal binary varchar integer day hour minute second month year
   utc_timestamp curdate`,
);
const PUNCTUATION = words('? ( ) [ ] , :: + - * / ||');
const NAME = /^(?:[\p{L}_]|["`])/u;

/** A name without its quotes. */
export function nameOf(token: string): string {
  return /^["`]/.test(token) ? token.slice(1, -1) : token;
}

/** Tokens without parentheses around all of them. */
export function unwrapped(tokens: readonly string[]): readonly string[] {
  let [from, to] = [0, tokens.length];
  while (to - from > 1 && tokens[from] === '(' && closeOf(tokens, from) === to - 1) {
    from++;
    to--;
  }
  return tokens.slice(from, to);
}

/** Where the parenthesis that opens here is closed; the length if it is not. */
export function closeOf(tokens: readonly string[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    if (tokens[at] === '(') depth++;
    else if (tokens[at] === ')' && --depth === 0) return at;
  }
  return tokens.length;
}

/** The column that tokens name, and nothing else. */
export function columnOf(given: readonly string[]): ColumnName | undefined {
  let tokens = unwrapped(given);
  let asText = false;
  if (tokens.at(-2) === '::' && tokens.at(-1) === 'text') {
    tokens = unwrapped(tokens.slice(0, -2));
    asText = true;
  }
  if (tokens.length > 5 || tokens.length % 2 === 0) return undefined;
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as string;
    if (at % 2 === 1 ? token !== '.' : !NAME.test(token)) return undefined;
  }
  if (tokens.length === 1 && CONSTANTS.has(tokens[0] as string)) return undefined;
  const table = tokens.at(-3);
  return {
    table: table === undefined ? undefined : nameOf(table),
    column: nameOf(tokens.at(-1) as string),
    asText,
  };
}

/** Functions of one text, the same each time, for which databases have indexes of expressions. */
const FUNCTIONS = words('lower upper');

/** `lower(column)` */
export function functionOf(given: readonly string[]): { name: string; column: ColumnName } | undefined {
  const tokens = unwrapped(given);
  const [name = ''] = tokens;
  if (!FUNCTIONS.has(name) || tokens[1] !== '(' || closeOf(tokens, 1) !== tokens.length - 1) return undefined;
  const column = columnOf(tokens.slice(2, -1));
  return column === undefined ? undefined : { name, column };
}

/** Whether tokens are a value that is known when the statement starts. */
export function isValue(tokens: readonly string[]): boolean {
  let isType = false;
  for (const token of tokens) {
    if (token === '::') {
      isType = true;
      continue;
    }
    if (isType && /^[a-z]/.test(token)) continue;
    isType = false;
    if (!PUNCTUATION.has(token) && !IN_VALUES.has(token)) return false;
  }
  return tokens.length > 0;
}
