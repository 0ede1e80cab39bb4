/**
 * Characters that a terminal interprets instead of showing them: control characters, line separators, and those that change
 * the writing direction. Names and statements of a trace are untrusted.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it matches
const INTERPRETED = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** A text on one line, with the characters that a terminal interprets written as `\u001b`. */
export function printable(text: string): string {
  return text.replace(INTERPRETED, escaped);
}

/** The same for JSON. The line breaks between values remain. */
export function printableJson(json: string): string {
  return json.replace(INTERPRETED, (character) => (character === '\n' ? character : escaped(character)));
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
