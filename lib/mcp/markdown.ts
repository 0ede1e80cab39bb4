import type { CallSite } from '../code/call-site.js';
import { shortened } from '../report/report-words.js';
import { printable } from '../text/printable.js';

/** Of a name or a statement in a text, in characters. */
const MAX_CODE = 600;
/** Of a sentence in a text, in characters. */
const MAX_PROSE = 1200;

/** A text of the application as a code span: exactly as it is, so that it can be copied, and without effect as Markdown. */
export function code(text: string, max = MAX_CODE): string {
  const line = printable(shortened(text, max));
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const pad = line === '' || line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${line}${pad}${fence}`;
}

/** A sentence that may quote the application, on one line, without links, images, HTML or code. */
export function prose(text: string, max = MAX_PROSE): string {
  return printable(shortened(text.replace(/\s*\n\s*/g, ' '), max)).replace(/[\\[\]<>`]/g, String.raw`\$&`);
}

/** `` `CatalogService.withTracks` at `src/catalog.service.ts:42` `` */
export function place({ function: name, file, line }: Pick<CallSite, 'function' | 'file' | 'line'>): string {
  return `${code(name)} at ${code(`${file}:${line}`)}`;
}
