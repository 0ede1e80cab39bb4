/** The longest text from the application in one place. */
const MAX_TEXT = 2000;

/**
 * Text from the application as it may be shown: what a terminal or a browser would act on, control characters and those
 * that turn the direction of a text, becomes visible symbols.
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

/** `lib/albums.service.ts` of a path or URL, at most so many folders of it. */
export function shortPath(path: string, folders = 1): string {
  const plain = path.replace(/^file:\/\//, '');
  const parts = plain.split('/');
  return parts.length > folders + 1 ? parts.slice(-folders - 1).join('/') : plain;
}
