import { createHash } from 'node:crypto';
import { PAGE_ICON } from './page-icon.js';
import { shortened } from './report-words.js';

const STYLE = `:root{color-scheme:light dark;--line:#8886;--quiet:light-dark(#555,#aaa);--bad:light-dark(#b00020,#ff8a80);--warn:light-dark(#8a5300,#ffc266);--fine:light-dark(#17652b,#7fd897)}
*{box-sizing:border-box}body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:0 auto;padding:1rem;overflow-wrap:anywhere}
h1{font-size:1.6rem;margin:.5rem 0}h2{font-size:1.2rem;margin:2rem 0 .5rem}.meta{color:var(--quiet);font-size:.9rem}
.verdict{border-left:.4rem solid;padding:.2rem 1rem;margin:1rem 0}.fine{border-color:var(--fine)}.warning{border-color:var(--warn)}.critical{border-color:var(--bad)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:right;padding:.35rem .6rem;border-bottom:1px solid var(--line);white-space:nowrap;vertical-align:top;font-variant-numeric:tabular-nums}
th:first-child{text-align:left;white-space:normal;min-width:11rem;font-weight:normal}thead th,thead th:first-child{font-weight:600}
ul{padding-left:1.2rem}li{margin:.4rem 0}.tag{font-weight:600}.tag.warning{color:var(--warn)}.tag.critical{color:var(--bad)}meter{width:4rem;vertical-align:middle}
@media(max-width:40rem){body{padding:.6rem}h1{font-size:1.3rem}th:first-child{min-width:9rem;max-width:60vw}}
@media print{body{max-width:none;padding:0}h2{break-after:avoid}li,tr{break-inside:avoid}}`;

/** The Content-Security-Policy of the page: only its own style, by hash, and its icon. */
export const HTML_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; img-src data:; base-uri 'none'; form-action 'none'`;

/** The maximum length of a text from the application, and of one in a table cell. */
const MAX_TEXT = 600;
const MAX_CELL = 200;

/** A fragment of a page, already escaped. */
export interface Html {
  readonly html: string;
}

/** A template tag: escapes every value that is not already {@link Html}. */
export function html(parts: TemplateStringsArray, ...values: readonly (Html | string | number)[]): Html {
  const written = values.map((value) => (typeof value === 'object' ? value.html : escaped(String(value))));
  return { html: parts.reduce((page, part, index) => page + written[index - 1] + part) };
}

export function all(pieces: readonly Html[]): Html {
  return { html: pieces.map((piece) => piece.html).join('') };
}

export function page(title: string, body: Html): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${HTML_POLICY}">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>${title}</title>${{ html: PAGE_ICON }}<style>${{ html: STYLE }}</style></head>
<body>${body}</body></html>
`.html;
}

/** Empty without content. */
export function section(title: string, content: Html | undefined): Html {
  return content === undefined ? html`` : html`<section><h2>${title}</h2>${content}</section>\n`;
}

export function list(entries: readonly (Html | string)[]): Html | undefined {
  return entries.length === 0
    ? undefined
    : html`<ul>${all(entries.map((one) => html`<li>${one}</li>`))}</ul>`;
}

/** A table that scrolls, by keyboard too. The first cell of a row is its header. */
export function table(
  title: string,
  head: readonly string[],
  rows: readonly (readonly (Html | string)[])[],
): Html | undefined {
  if (rows.length === 0) return undefined;
  const body = rows.map(([first = '', ...rest]) => {
    const cells = all(rest.map((cell) => html`<td>${cell}</td>`));
    return html`<tr><th scope="row">${typeof first === 'string' ? shortened(first, MAX_CELL) : first}</th>${cells}</tr>`;
  });
  const names = all(head.map((name) => html`<th scope="col">${name}</th>`));
  return html`<div class="scroll" role="region" aria-label="${title}" tabindex="0"><table><thead><tr>${names}</tr></thead><tbody>${all(body)}</tbody></table></div>`;
}

export function time(at: number): Html {
  const iso = new Date(at).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`;
}

/** Escapes markup and removes control and bidirectional characters. */
function escaped(text: string): string {
  return shortened(text, MAX_TEXT).replace(/[&<>"'`\p{Cc}\p{Cf}\p{Bidi_Control}]/gu, (character) =>
    /[&<>"'`]/.test(character) ? `&#${character.charCodeAt(0)};` : ' ',
  );
}
