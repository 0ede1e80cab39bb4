import type { ExpositionFormat } from '../../metrics/exposition.js';

/** Characters of the header that are looked at. */
const MAX_ACCEPT = 1000;
/** The versions of OpenMetrics that differ from 1.0 in nothing that is sent. */
const VERSIONS = new Set(['1.0.0', '0.0.1']);

/** OpenMetrics for whom it is at least as welcome as plain text is; plain text for all others. */
export function scrapeFormat(accept = ''): ExpositionFormat {
  let openMetrics = 0;
  let text = 0;
  for (const range of accept.slice(0, MAX_ACCEPT).split(',')) {
    const [type = '', ...parameters] = range
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/);
    const parameter = (name: string): string | undefined =>
      parameters.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
    const quality = Number(parameter('q') ?? 1);
    if (type === 'text/plain' || type === 'text/*') text = Math.max(text, quality);
    const known = VERSIONS.has(parameter('version') ?? '1.0.0');
    if (type === 'application/openmetrics-text' && known) openMetrics = Math.max(openMetrics, quality);
  }
  return openMetrics > 0 && openMetrics >= text ? 'openmetrics' : 'text';
}

/** Whether gzip is welcome; by `*` alone it is not, as nobody asks for metrics like that. */
export function acceptsGzip(encoding = ''): boolean {
  return encoding
    .slice(0, MAX_ACCEPT)
    .toLowerCase()
    .split(',')
    .some((one) => /^\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*$)[\d.]+\s*)?$/.test(one));
}
