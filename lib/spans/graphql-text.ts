/** The longest document that is kept, in characters. */
const MAX_TEXT = 2048;
const TOKEN =
  /"""(?:\\"""|[\s\S])*?(?:"""|$)|"(?:\\.|[^"\\\n])*(?:"|$|(?=\n))|#[^\n]*|-?\d[\w.+-]*|\$?[A-Za-z_]\w*|\.\.\.|\s+|[\s\S]/g;
const PUNCTUATION = /^(?:[!&():=@[\]{}|,]|\.\.\.)$/;

/**
 * A GraphQL document without its values: `{ user(email: "a@b.c", role: ADMIN) { id } }` becomes
 * `{ user(email: ?, role: ?) { id } }`. Comments are dropped.
 */
export function graphqlWithoutValues(document: string): string {
  const tokens = (document.slice(0, 4 * MAX_TEXT).match(TOKEN) ?? [])
    .map((token) => (/^\s/.test(token) ? ' ' : token))
    .filter((token) => !token.startsWith('#'));
  let depth = 0;
  /** Within the definitions of variables, the names after a colon are types. */
  let areDefinitions = false;
  let isDefault = false;
  /** Open brackets and braces within the parentheses. */
  let nesting = 0;
  let text = '';
  for (const [at, token] of tokens.entries()) {
    const next = tokens[at + 1] === ' ' ? tokens[at + 2] : tokens[at + 1];
    if (token === '(') {
      if (depth++ === 0) areDefinitions = next?.startsWith('$') === true;
      isDefault = false;
      nesting = 0;
    } else if (token === ')') depth--;
    else if (token === '=') isDefault = true;
    else if (token === '[' || token === '{') nesting++;
    else if (token === ']' || token === '}') nesting--;
    else if (token.startsWith('$') && next === ':' && nesting === 0) isDefault = false;
    const isName = /^[A-Za-z_]/.test(token);
    const isKept =
      token === ' ' ||
      PUNCTUATION.test(token) ||
      token.startsWith('$') ||
      (isName &&
        (depth <= 0 ||
          next === ':' ||
          tokens[at - 1] === '@' ||
          (areDefinitions && depth === 1 && !isDefault)));
    const written = isKept ? token : '?';
    if (!(token === ' ' && text.endsWith(' '))) text += written;
    if (text.length > MAX_TEXT) break;
  }
  return text.trim().slice(0, MAX_TEXT);
}
