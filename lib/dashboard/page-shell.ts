import { PAGE_ICON } from '../report/page-icon.js';

/** The Content-Security-Policy of the page: its own files only, and no framing. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const NOT_BUILT =
  'The page is not built: run npm run build. The data is available at stats, slow and report.html below this path.';

/**
 * The HTML document that loads the page. It contains no data of the application.
 * @param base the base of all addresses of the page: `performance/`, or `./` for an address with a trailing slash. It is
 * relative, so that the page works below any prefix and behind proxies that strip one
 * @param options.beginsSession whether the page begins a session by itself, for a browser on this machine
 */
export function pageShell(
  base: string,
  { isBuilt, beginsSession }: { readonly isBuilt: boolean; readonly beginsSession: boolean },
): string {
  const [style, body] = isBuilt
    ? [
        '<link rel="stylesheet" href="ui/app.css">',
        `<div id="app"${beginsSession ? ' data-session' : ''}></div><script type="module" src="ui/app.js"></script><noscript>This page requires JavaScript. The <a href="report.html">HTML report</a> shows the same data without it.</noscript>`,
      ]
    : ['', `<p>${NOT_BUILT}</p>`];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><base href="${base}"><title>Performance</title>
<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">${PAGE_ICON}${style}</head>
<body>${body}</body></html>
`;
}
