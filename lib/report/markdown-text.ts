import { shortened } from './report-words.js';

/** The maximum length of a text from the application. */
const MAX_TEXT = 300;

/**
 * Escapes a text from the application to one line of Markdown without markup, HTML, mentions, links or table cells.
 */
export function markdownText(text: string, max = MAX_TEXT): string {
  return (
    shortened(text, max)
      // Control and bidirectional characters, and line breaks.
      .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
      .trim()
      .replace(/&/g, '&amp;')
      .replace(/</g, '&lt;')
      .replace(/>/g, '&gt;')
      // As entities: GitHub finds mentions, references and links in rendered backslash escapes too.
      .replace(/@/g, '&#64;\u200b')
      .replace(/#(?=\d)/g, '#\u200b')
      .replace(/:\/\//g, ':\u200b//')
      .replace(/\bwww\./gi, (www) => `${www.slice(0, 3)}\u200b.`)
      .replace(/[\\`*_{}[\]|~$!]/g, String.raw`\$&`)
      .replace(/^(?=[-+=](?:[-+=\s]|$))/, '\\')
      .replace(/^#/, String.raw`\#`)
      .replace(/^(\d+)([.)])(?=\s|$)/, String.raw`$1\$2`)
  );
}
