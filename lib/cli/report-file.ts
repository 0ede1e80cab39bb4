import { readFile, stat } from 'node:fs/promises';
import { faultOf } from '../report/json-schema-check.js';
import { type PerformanceReport, REPORT_VERSION } from '../report/report.js';
import { REPORT_SCHEMA } from '../report/report-schema.js';
import { toHtml } from '../report/to-html.js';
import { toMarkdown } from '../report/to-markdown.js';
import { formatValue } from '../validation/options-error.js';
import { MAX_REPORT_BYTES } from './profile/endpoint-client.js';

/** Why a file holds no report, in words that begin after its name. */
export class ReportFault extends Error {}

/** The report of a file, in another format. Rejects with {@link ReportFault}. */
export async function reportInFile(path: string, format: 'json' | 'md' | 'html'): Promise<string> {
  const report = reportOf(await contentOf(path));
  if (format === 'json') return JSON.stringify(report, null, 2);
  return format === 'md' ? toMarkdown(report) : toHtml(report);
}

function reportOf(text: string): PerformanceReport {
  const value = jsonIn(text);
  const { schemaVersion } = Object(value) as { schemaVersion?: unknown };
  if (typeof schemaVersion === 'number' && schemaVersion > REPORT_VERSION)
    throw new ReportFault(
      `holds a report of version ${schemaVersion}, which is newer than ${REPORT_VERSION}: read it with a newer version`,
    );
  const fault = faultOf(REPORT_SCHEMA, value);
  if (fault !== undefined) throw new ReportFault(`holds no report: ${fault}`);
  return value as PerformanceReport;
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ReportFault(
      `holds no report: it is not JSON, but begins with ${formatValue(text.slice(0, 20))}`,
      {
        cause: error,
      },
    );
  }
}

async function contentOf(path: string): Promise<string> {
  try {
    const stats = await stat(path);
    if (!stats.isFile()) throw new ReportFault('is no regular file');
    if (stats.size > MAX_REPORT_BYTES) throw new ReportFault(`is larger than ${MAX_REPORT_BYTES} bytes`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof ReportFault) throw error;
    throw new ReportFault(`could not be read: ${(error as Error).message}`);
  }
}
