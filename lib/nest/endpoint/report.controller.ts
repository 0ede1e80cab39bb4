import { Controller, Get, Inject, type Type } from '@nestjs/common';
import { withoutServerPaths } from '../../code/code-path.js';
import { PerformanceMonitor } from '../../monitor/performance-monitor.js';
import { buildReport, MAX_LIMIT } from '../../report/build-report.js';
import { SINCE_ALLOWED } from '../../report/covered-time.js';
import type { PerformanceReport } from '../../report/report.js';
import { REPORT_SCHEMA } from '../../report/report-schema.js';
import { REPORT_TYPES, type ReportFormat, reportFormat } from './accept.js';
import { Answer } from './answer.js';
import { Documented, listed } from './api-documentation.js';
import type { EndpointRequest } from './endpoint-request.js';
import { queryOf, sinceOf, wholeNumber } from './query-parameters.js';

const REPORT_QUERY = {
  since: { type: 'string', description: `Start of the report: ${SINCE_ALLOWED}` },
  limit: listed(MAX_LIMIT, 'Maximum length of each list'),
} as const;

/** A report as text, and what a browser may load for it. */
interface WrittenReport {
  readonly text: string;
  readonly policy?: string;
}

const WRITERS: Readonly<Record<ReportFormat, (report: PerformanceReport) => Promise<WrittenReport>>> = {
  json: async (report) => ({ text: JSON.stringify(report) }),
  md: async (report) => {
    const { toMarkdown } = await import('../../report/to-markdown.js');
    return { text: toMarkdown(report) };
  },
  html: async (report) => {
    const { HTML_POLICY, toHtml } = await import('../../report/to-html.js');
    return { text: toHtml(report), policy: `${HTML_POLICY}; frame-ancestors 'none'` };
  },
};

/** The controller of the report. @param path the path of the endpoint, already validated */
export function createReportController(path: string): Type {
  @Controller(path)
  class ReportController {
    constructor(@Inject(PerformanceMonitor) private readonly monitor: PerformanceMonitor) {}

    @Get('report')
    @Documented(
      'Report of slow operations, regressions and findings: JSON, Markdown or HTML by Accept',
      REPORT_QUERY,
    )
    accepted(request: EndpointRequest): Promise<Answer> {
      const format = reportFormat(request.headers['accept'] as string | undefined);
      return this.answer(request, format, { Vary: 'Accept' });
    }

    @Get('report.json')
    @Documented('The report as JSON', REPORT_QUERY)
    json(request: EndpointRequest): Promise<Answer> {
      return this.answer(request, 'json');
    }

    @Get('report.md')
    @Documented('The report as Markdown', REPORT_QUERY)
    markdown(request: EndpointRequest): Promise<Answer> {
      return this.answer(request, 'md');
    }

    @Get('report.html')
    @Documented('The report as HTML', REPORT_QUERY)
    html(request: EndpointRequest): Promise<Answer> {
      return this.answer(request, 'html');
    }

    @Get('report/schema')
    @Documented('The JSON Schema of the report')
    schema(): Answer {
      return Answer.of(JSON.stringify(REPORT_SCHEMA), {
        'Content-Type': 'application/schema+json; charset=utf-8',
      });
    }

    private async answer(
      request: EndpointRequest,
      format: ReportFormat,
      headers: Record<string, string> = {},
    ): Promise<Answer> {
      const query = queryOf(request);
      const now = Date.now();
      const built = buildReport(this.monitor, {
        since: sinceOf(query, now),
        limit: wholeNumber(query, 'limit', MAX_LIMIT),
        now,
      });
      const report: PerformanceReport = JSON.parse(withoutServerPaths(JSON.stringify(built)));
      const { text, policy } = await WRITERS[format](report);
      return Answer.of(text, {
        'Content-Type': REPORT_TYPES[format],
        'Content-Security-Policy': policy,
        ...headers,
      });
    }
  }
  return ReportController;
}
