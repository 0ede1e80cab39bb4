import {
  Controller,
  Get,
  Header,
  Headers,
  Inject,
  Query,
  Res,
  type Type,
  UseGuards,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { PerformanceMonitor } from '../monitor/performance-monitor.js';
import { buildReport, MAX_LIMIT } from '../report/build-report.js';
import { HTML_POLICY } from '../report/html-page.js';
import { REPORT_SCHEMA } from '../report/report-schema.js';
import { parseSince, SINCE_ALLOWED } from '../report/since.js';
import { toHtml } from '../report/to-html.js';
import { toMarkdown } from '../report/to-markdown.js';
import { Documented, listed } from './api-documentation.js';
import { EndpointGuard } from './endpoint.guard.js';
import type { WithHeader } from './framework-response.js';
import { type QueryParameters, refuse, wholeNumber } from './query-parameters.js';
import { acceptedFormat, REPORT_TYPES, type ReportFormat } from './report-format.js';

const REPORT_QUERY = {
  since: { type: 'string', description: `From when on: ${SINCE_ALLOWED}` },
  limit: listed(MAX_LIMIT, 'Entries of each list'),
} as const;

/** The controller of the report below this path, which is that of the endpoint, and checked there. */
export function createReportController(path: string): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  @UseGuards(EndpointGuard)
  class ReportController {
    constructor(@Inject(PerformanceMonitor) private readonly monitor: PerformanceMonitor) {}

    @Get('report')
    @Documented(
      'What is slow, what got slower, what was found: as JSON, Markdown or HTML by Accept',
      REPORT_QUERY,
    )
    @Header('Cache-Control', 'no-store')
    @Header('Vary', 'Accept')
    accepted(
      @Query() query: QueryParameters,
      @Headers('accept') accept: string | undefined,
      @Res({ passthrough: true }) response: WithHeader,
    ): string {
      return this.answer(query, acceptedFormat(accept), response);
    }

    @Get('report.json')
    @Documented('The report as JSON', REPORT_QUERY)
    @Header('Cache-Control', 'no-store')
    json(@Query() query: QueryParameters, @Res({ passthrough: true }) response: WithHeader): string {
      return this.answer(query, 'json', response);
    }

    @Get('report.md')
    @Documented('The report as Markdown', REPORT_QUERY)
    @Header('Cache-Control', 'no-store')
    markdown(@Query() query: QueryParameters, @Res({ passthrough: true }) response: WithHeader): string {
      return this.answer(query, 'md', response);
    }

    @Get('report.html')
    @Documented('The report as HTML', REPORT_QUERY)
    @Header('Cache-Control', 'no-store')
    html(@Query() query: QueryParameters, @Res({ passthrough: true }) response: WithHeader): string {
      return this.answer(query, 'html', response);
    }

    @Get('report/schema')
    @Documented('The JSON Schema of the report')
    @Header('Cache-Control', 'no-store')
    schema(@Res({ passthrough: true }) response: WithHeader): string {
      response.header('Content-Type', 'application/schema+json; charset=utf-8');
      response.header('X-Content-Type-Options', 'nosniff');
      return JSON.stringify(REPORT_SCHEMA);
    }

    private answer(query: QueryParameters, format: ReportFormat, response: WithHeader): string {
      const now = Date.now();
      const report = buildReport(this.monitor, {
        since: since(query, now),
        limit: wholeNumber(query, 'limit', MAX_LIMIT),
        now,
      });
      response.header('Content-Type', REPORT_TYPES[format]);
      response.header('X-Content-Type-Options', 'nosniff');
      if (format === 'html')
        response.header('Content-Security-Policy', `${HTML_POLICY}; frame-ancestors 'none'`);
      if (format === 'json') return JSON.stringify(report);
      return format === 'md' ? toMarkdown(report) : toHtml(report);
    }
  }
  return ReportController;
}

function since(query: QueryParameters, now: number): number | undefined {
  const value = query['since'];
  if (value === undefined) return undefined;
  const moment = typeof value === 'string' ? parseSince(value, now) : undefined;
  return moment ?? refuse('since', value, SINCE_ALLOWED);
}
