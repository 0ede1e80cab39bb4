export type ReportFormat = 'json' | 'md' | 'html';

export const REPORT_TYPES: Readonly<Record<ReportFormat, string>> = {
  json: 'application/json; charset=utf-8',
  md: 'text/markdown; charset=utf-8',
  html: 'text/html; charset=utf-8',
};

const FORMATS: ReadonlyMap<string, ReportFormat> = new Map([
  ['application/json', 'json'],
  ['text/markdown', 'md'],
  ['text/html', 'html'],
]);
/** Characters of the header that are looked at. */
const MAX_ACCEPT = 1000;

/** That of the formats with the greatest quality in `Accept` (RFC 9110, 12.5.1); JSON where none is asked for. */
export function acceptedFormat(accept = ''): ReportFormat {
  let best: ReportFormat = 'json';
  let most = 0;
  for (const range of accept.slice(0, MAX_ACCEPT).split(',')) {
    const [type = '', ...parameters] = range
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/);
    const format = FORMATS.get(type);
    if (format === undefined) continue;
    const quality = Number(parameters.find((one) => one.startsWith('q='))?.slice(2) ?? 1);
    if (quality > most) [best, most] = [format, quality];
  }
  return best;
}
