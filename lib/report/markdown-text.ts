import { shortened } from './report-words.js';

/** The longest text from the application in one place. */
const MAX_TEXT = 300;

/**
 * A text of the application's in one line of Markdown, in which it is nothing but text: no markup, no HTML, no
 * mention, no link, no other cell of a table.
 */
export function markdownText(text: string, max = MAX_TEXT): string {
  return (
    shortened(text, max)
      // Control characters, line ends, and those that turn the direction of a text.
      .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
      .trim()
      .replace(/&/g, '&amp;')
      .replace(/</g, '&lt;')
      .replace(/>/g, '&gt;')
      // As entities: GitHub looks for mentions and references, and for links, in what it rendered from escapes too.
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
