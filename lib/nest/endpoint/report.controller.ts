import { Controller, Get, Inject, type Type, UseGuards } from '@nestjs/common';
import { withoutServerPaths } from '../../code/code-path.js';
import { PerformanceMonitor } from '../../monitor/performance-monitor.js';
import { buildReport, MAX_LIMIT } from '../../report/build-report.js';
import { SINCE_ALLOWED } from '../../report/covered-time.js';
import { HTML_POLICY } from '../../report/html-page.js';
import type { PerformanceReport } from '../../report/report.js';
import { REPORT_SCHEMA } from '../../report/report-schema.js';
import { toHtml } from '../../report/to-html.js';
import { toMarkdown } from '../../report/to-markdown.js';
import { REPORT_TYPES, type ReportFormat, reportFormat } from './accept.js';
import { Answer } from './answer.js';
import { Documented, listed } from './api-documentation.js';
import { EndpointGuard } from './endpoint.guard.js';
import type { EndpointRequest } from './endpoint-request.js';
import { queryOf, sinceOf, wholeNumber } from './query-parameters.js';

const REPORT_QUERY = {
  since: { type: 'string', description: `Start of the report: ${SINCE_ALLOWED}` },
  limit: listed(MAX_LIMIT, 'Maximum length of each list'),
} as const;

const WRITERS: Readonly<Record<ReportFormat, (report: PerformanceReport) => string>> = {
  json: (report) => JSON.stringify(report),
  md: toMarkdown,
  html: toHtml,
};

/** The controller of the report. @param path the path of the endpoint, already validated */
export function createReportController(path: string): Type {
  @Controller(path)
  @UseGuards(EndpointGuard)
  class ReportController {
    constructor(@Inject(PerformanceMonitor) private readonly monitor: PerformanceMonitor) {}

    @Get('report')
    @Documented(
      'Report of slow operations, regressions and findings: JSON, Markdown or HTML by Accept',
      REPORT_QUERY,
    )
    accepted(request: EndpointRequest): Answer {
      const format = reportFormat(request.headers['accept'] as string | undefined);
      return this.answer(request, format, { Vary: 'Accept' });
    }

    @Get('report.json')
    @Documented('The report as JSON', REPORT_QUERY)
    json(request: EndpointRequest): Answer {
      return this.answer(request, 'json');
    }

    @Get('report.md')
    @Documented('The report as Markdown', REPORT_QUERY)
    markdown(request: EndpointRequest): Answer {
      return this.answer(request, 'md');
    }

    @Get('report.html')
    @Documented('The report as HTML', REPORT_QUERY)
    html(request: EndpointRequest): Answer {
      return this.answer(request, 'html');
    }

    @Get('report/schema')
    @Documented('The JSON Schema of the report')
    schema(): Answer {
      return Answer.of(JSON.stringify(REPORT_SCHEMA), {
        'Content-Type': 'application/schema+json; charset=utf-8',
      });
    }

    private answer(
      request: EndpointRequest,
      format: ReportFormat,
      headers: Record<string, string> = {},
    ): Answer {
      const query = queryOf(request);
      const now = Date.now();
      const built = buildReport(this.monitor, {
        since: sinceOf(query, now),
        limit: wholeNumber(query, 'limit', MAX_LIMIT),
        now,
      });
      const report: PerformanceReport = JSON.parse(withoutServerPaths(JSON.stringify(built)));
      return Answer.of(WRITERS[format](report), {
        'Content-Type': REPORT_TYPES[format],
        'Content-Security-Policy': format === 'html' ? `${HTML_POLICY}; frame-ancestors 'none'` : undefined,
        ...headers,
      });
    }
  }
  return ReportController;
}
