/** The maximum length of a text from the application. */
const MAX_TEXT = 2000;

/**
 * Makes a text from the application safe to display: control characters and characters that change the text direction
 * become visible symbols.
 */
export function visible(text: string, max = MAX_TEXT): string {
  const shown = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, symbolOf);
  return shown.length > max ? `${shown.slice(0, max - 1)}…` : shown;
}

function symbolOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return '␡';
  return `⟨${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
}

/** The file name of a path or URL with up to `folders` parent folders: `lib/albums.service.ts`. */
export function shortPath(path: string, folders = 1): string {
  const plain = path.replace(/^file:\/\//, '');
  const parts = plain.split('/');
  return parts.length > folders + 1 ? parts.slice(-folders - 1).join('/') : plain;
}
