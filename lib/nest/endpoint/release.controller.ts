import { Controller, Get, Inject, NotFoundException, type Type } from '@nestjs/common';
import type { ReleaseVerdict } from '../../baseline/release-verdict.js';
import { UnknownVersionError } from '../../baseline/unknown-version.js';
import { withoutServerPaths } from '../../code/code-path.js';
import { PerformanceMonitor } from '../../monitor/performance-monitor.js';
import { own } from '../../validation/own.js';
import { preferredFormat, REPORT_TYPES } from './accept.js';
import { Answer } from './answer.js';
import { Documented } from './api-documentation.js';
import type { EndpointRequest } from './endpoint-request.js';
import { queryOf, refuse } from './query-parameters.js';

const FORMATS = ['json', 'md'] as const;
type ReleaseFormat = (typeof FORMATS)[number];

const WRITERS: Readonly<Record<ReleaseFormat, (verdict: ReleaseVerdict) => string | Promise<string>>> = {
  json: (verdict) => JSON.stringify(verdict),
  md: async (verdict) => (await import('../../report/release-markdown.js')).releaseMarkdown(verdict),
};
const RELEASE_QUERY = {
  since: {
    type: 'string',
    description: 'service.version to compare with. Default: the other one that saved last',
  },
} as const;

/** The controller of the verdict of a release. @param path the path of the endpoint, already validated */
export function createReleaseController(path: string): Type {
  @Controller(path)
  class ReleaseController {
    constructor(@Inject(PerformanceMonitor) private readonly monitor: PerformanceMonitor) {}

    @Get('release')
    @Documented('Verdict of this version against the previous one: JSON or Markdown by Accept', RELEASE_QUERY)
    accepted(request: EndpointRequest): Promise<Answer> {
      const format = preferredFormat(request.headers['accept'] as string | undefined, FORMATS);
      return this.answer(request, format, { Vary: 'Accept' });
    }

    @Get('release.json')
    @Documented('The verdict as JSON', RELEASE_QUERY)
    json(request: EndpointRequest): Promise<Answer> {
      return this.answer(request, 'json');
    }

    @Get('release.md')
    @Documented('The verdict as Markdown', RELEASE_QUERY)
    markdown(request: EndpointRequest): Promise<Answer> {
      return this.answer(request, 'md');
    }

    private async answer(
      request: EndpointRequest,
      format: ReleaseFormat,
      headers: Record<string, string> = {},
    ): Promise<Answer> {
      const since = own(queryOf(request), 'since');
      if (since !== undefined && (typeof since !== 'string' || since === ''))
        return refuse('since', since, 'a service.version');
      const verdict = await this.monitor.getReleaseVerdict({ since }).catch((error: unknown) => {
        throw error instanceof UnknownVersionError ? new NotFoundException(error.message) : error;
      });
      const shown = JSON.parse(withoutServerPaths(JSON.stringify(verdict))) as ReleaseVerdict;
      return Answer.of(await WRITERS[format](shown), {
        'Content-Type': REPORT_TYPES[format],
        ...headers,
      });
    }
  }
  return ReleaseController;
}
