import { readFile, stat } from 'node:fs/promises';
import { faultOf } from '../report/json-schema-check.js';
import { type PerformanceReport, REPORT_VERSION } from '../report/report.js';
import { REPORT_SCHEMA } from '../report/report-schema.js';
import { toHtml } from '../report/to-html.js';
import { toMarkdown } from '../report/to-markdown.js';
import { formatValue } from '../validation/options-error.js';
import { MAX_REPORT_BYTES } from './endpoint-client.js';

/** Why a file contains no valid report. The message continues the file name. */
export class ReportFault extends Error {}

/** Converts the report in a file. Rejects with {@link ReportFault}. */
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
      `contains a report of version ${schemaVersion}, newer than ${REPORT_VERSION}: use a newer version of nestjs-performance`,
    );
  const fault = faultOf(REPORT_SCHEMA, value);
  if (fault !== undefined) throw new ReportFault(`contains no valid report: ${fault}`);
  return value as PerformanceReport;
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ReportFault(
      `contains no valid report: received ${formatValue(text.slice(0, 20))}, expected JSON`,
      {
        cause: error,
      },
    );
  }
}

async function contentOf(path: string): Promise<string> {
  try {
    const stats = await stat(path);
    if (!stats.isFile()) throw new ReportFault('is not a regular file');
    if (stats.size > MAX_REPORT_BYTES) throw new ReportFault(`exceeds ${MAX_REPORT_BYTES} bytes`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof ReportFault) throw error;
    throw new ReportFault(`could not be read: ${(error as Error).message}`);
  }
}
