import type { ExpositionFormat } from '../../metrics/exposition.js';

export type ReportFormat = 'json' | 'md' | 'html';

export const REPORT_TYPES: Readonly<Record<ReportFormat, string>> = {
  json: 'application/json; charset=utf-8',
  md: 'text/markdown; charset=utf-8',
  html: 'text/html; charset=utf-8',
};

const REPORT_FORMATS: ReadonlyMap<string, ReportFormat> = new Map([
  ['application/json', 'json'],
  ['text/markdown', 'md'],
  ['text/html', 'html'],
]);
/** Versions of OpenMetrics with the same output as 1.0. */
const OPENMETRICS_VERSIONS = new Set(['1.0.0', '0.0.1']);
/** Longer headers are truncated before parsing. */
const MAX_ACCEPT = 1000;

/** The format of the report that `Accept` prefers. Default JSON. */
export function reportFormat(accept?: string): ReportFormat {
  return preferredFormat(accept, ['json', 'md', 'html']);
}

/** The format with the highest quality in `Accept` (RFC 9110, 12.5.1). Default: the first one. */
export function preferredFormat<const T extends ReportFormat>(
  accept: string | undefined,
  formats: readonly [T, ...T[]],
): T {
  let best = formats[0];
  let most = 0;
  for (const { type, quality } of mediaRanges(accept)) {
    const format = formats.find((one) => one === REPORT_FORMATS.get(type));
    if (format !== undefined && quality > most) [best, most] = [format, quality];
  }
  return best;
}

/** OpenMetrics if `Accept` gives it at least the quality of plain text, else plain text. */
export function metricsFormat(accept?: string): ExpositionFormat {
  let openMetrics = 0;
  let text = 0;
  for (const { type, quality, version = '1.0.0' } of mediaRanges(accept)) {
    if (type === 'text/plain' || type === 'text/*') text = Math.max(text, quality);
    if (type === 'application/openmetrics-text' && OPENMETRICS_VERSIONS.has(version))
      openMetrics = Math.max(openMetrics, quality);
  }
  return openMetrics > 0 && openMetrics >= text ? 'openmetrics' : 'text';
}

/** Whether `Accept-Encoding` names gzip. `*` alone does not count. */
export function acceptsGzip(encoding = ''): boolean {
  return encoding
    .slice(0, MAX_ACCEPT)
    .toLowerCase()
    .split(',')
    .some((one) => /^\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*$)[\d.]+\s*)?$/.test(one));
}

function mediaRanges(accept = ''): { type: string; quality: number; version: string | undefined }[] {
  return accept
    .slice(0, MAX_ACCEPT)
    .split(',')
    .map((range) => {
      const [type = '', ...parameters] = range
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/);
      const parameter = (name: string): string | undefined =>
        parameters.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
      return { type, quality: Number(parameter('q') ?? 1), version: parameter('version') };
    });
}
