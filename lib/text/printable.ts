/**
 * What a terminal would obey and not show: control characters, line separators, and what turns the direction of
 * writing. Names and statements come from whoever wrote the trace.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const OBEYED = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** A text of one line in which all that a terminal would obey is written out, as `\u001b`. */
export function printable(text: string): string {
  return text.replace(OBEYED, escaped);
}

/** JSON in which strings hold nothing that a terminal would obey. The line breaks between values stay. */
export function printableJson(json: string): string {
  return json.replace(OBEYED, (character) => (character === '\n' ? character : escaped(character)));
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
