/** Nothing but the page's own files, and nobody may frame it. */
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
  'The page is not part of this checkout: run npm run build first. The figures are at stats, slow and report.html below this path.';

/**
 * The document that loads the page. It holds nothing of the application.
 * @param base what the page's addresses are relative to, which are all of them, so that it works below any prefix and
 * behind a proxy that takes one away: `performance/`, or `./` where the address ends in a slash
 */
export function pageShell(base: string, isBuilt: boolean): string {
  const [style, body] = isBuilt
    ? [
        '<link rel="stylesheet" href="ui/app.css">',
        '<div id="app"></div><script type="module" src="ui/app.js"></script><noscript>This page needs JavaScript. What it shows can be read at <a href="report.html">report.html</a>, too.</noscript>',
      ]
    : ['', `<p>${NOT_BUILT}</p>`];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><base href="${base}"><title>Performance</title>
<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">${style}</head>
<body>${body}</body></html>
`;
}
