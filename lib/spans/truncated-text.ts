/** What is written where a text was cut: within it, and at its end. */
const MARK = /\.{3}|\u2026/;
const MARK_AT_END =
  /(?:\.{3}|\u2026|[[(<{]\s*(?:\.{2,3}|\u2026|\+\d|truncated|snip(?:ped)?|cut)[^\])>}]{0,40}[\])>}]|\btruncated\b[^\w'"`]{0,4}|\b\d+ more (?:characters|chars|bytes)\b[^\w'"`]{0,4})\s*(?:\*\/)?\s*$/i;
/** The characters at the end of a text that are searched for a mark. */
const TAIL = 64;

/** Ends of a normalized statement behind which more must follow: characters and words. */
const OPEN_END = ',(.=<>+*/|-';
const OPEN_WORDS: ReadonlySet<string> = new Set(
  `select distinct from where and or not on join inner left right outer cross in like ilike between by order group having
   set into values as union is case when then else limit offset using exists`.split(/\s+/),
);
/** A condition without a comparison: a column of type boolean, or what is left of a longer text. */
const BARE_CONDITION = /\b(?:where|and|or|on|having) (?:[\w"]+\.)*[\w"]+$/;
/** Common limits in characters, each also with room for a terminating character. */
const LIMITS: ReadonlySet<number> = new Set(
  [256, 500, 512, 1000, 1024, 2000, 2048, 4000, 4096, 5000, 8000, 8192, 10_000, 16_384, 32_768, 65_536]
    .flatMap((limit) => [limit - 1, limit])
    // Nobody sets these.
    .filter((limit) => ![499, 999, 1999, 3999, 4999, 7999, 9999].includes(limit)),
);

/** A string, a quoted name or a comment that is closed. */
const QUOTED = /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"]|"")*"|`[^`]*`|--[^\n]*|\/\*(?:[^*]|\*(?!\/))*\*\//g;
const [DOUBLE_QUOTE, QUOTE, BACKTICK] = [34, 39, 96];

/**
 * Whether a statement was cut, as instrumentations and limits of attributes do: what follows is unknown. Recognized by a
 * mark, by an end at which no statement ends, or by the length of a common limit.
 * @param raw as it was recorded
 * @param text the same without literals
 * @param isWhole whether `text` is all of it
 */
export function isTruncated(raw: string, text: string, isWhole: boolean): boolean {
  if (LIMITS.has(raw.length) || hasMarkAtEnd(raw)) return true;
  if (!isWhole) return false;
  if (hasOpenEnd(text) || MARK.test(text) || hasOpenParenthesis(text) || hasOpenQuote(raw)) return true;
  return isRound(raw.length) && BARE_CONDITION.test(text);
}

/** Most statements end with another character than marks do, so that the expression is rarely needed. */
function hasMarkAtEnd(raw: string): boolean {
  const last = raw.charCodeAt(raw.length - 1);
  const isDigit = last >= 48 && last <= 57;
  return !isDigit && last !== QUOTE && MARK_AT_END.test(raw.slice(-TAIL));
}

function hasOpenEnd(text: string): boolean {
  return (
    OPEN_END.includes(text.charAt(text.length - 1)) || OPEN_WORDS.has(text.slice(text.lastIndexOf(' ') + 1))
  );
}

function hasOpenQuote(raw: string): boolean {
  let quotes = 0;
  let doubleQuotes = 0;
  let backticks = 0;
  for (let at = 0; at < raw.length; at++) {
    const code = raw.charCodeAt(at);
    if (code === QUOTE) quotes++;
    else if (code === DOUBLE_QUOTE) doubleQuotes++;
    else if (code === BACKTICK) backticks++;
  }
  // An odd number is common within comments, and behind a backslash.
  const isOdd = quotes % 2 === 1 || doubleQuotes % 2 === 1 || backticks % 2 === 1;
  return isOdd && /['"`]/.test(raw.replace(QUOTED, ''));
}

function hasOpenParenthesis(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 40) depth++;
    else if (code === 41) depth--;
  }
  return depth > 0;
}

/** Whether a length may be a limit that somebody has set. */
function isRound(length: number): boolean {
  return length >= 20 && (length % 10 === 0 || length % 16 === 0 || length % 32 === 31);
}
