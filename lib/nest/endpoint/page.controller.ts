import { Controller, Get, HttpStatus, Inject, NotFoundException, type Type } from '@nestjs/common';
import { PageFiles } from '../../dashboard/page-files.js';
import { PAGE_POLICY, pageShell } from '../../dashboard/page-shell.js';
import { Answer } from './answer.js';
import { RouteKind } from './endpoint.guard.js';
import { EndpointAccess } from './endpoint-access.js';
import type { EndpointRequest } from './endpoint-request.js';

/** The controller of the page. @param path the path of the endpoint, already validated */
export function createPageController(path: string): Type {
  const lastSegment = path.slice(path.lastIndexOf('/') + 1);

  @Controller(path)
  class PageController {
    constructor(
      @Inject(PageFiles) private readonly files: PageFiles,
      @Inject(EndpointAccess) private readonly access: EndpointAccess,
    ) {}

    @Get()
    @RouteKind('page')
    async page(request: EndpointRequest): Promise<Answer> {
      const { url, originalUrl = url, params } = request;
      // In Fastify the wildcard of this route matches all unknown paths below it.
      if (params?.['*']) throw new NotFoundException();
      const [address = ''] = originalUrl.split('?', 1);
      const html = pageShell(address.endsWith('/') ? './' : `${lastSegment}/`, {
        isBuilt: await this.files.isBuilt(),
        beginsSession: this.access.isOpenTo(request),
      });
      return Answer.of(html, {
        'Content-Type': 'text/html; charset=utf-8',
        // Replaces a policy that the application sets for its own pages.
        'Content-Security-Policy': PAGE_POLICY,
        'Referrer-Policy': 'no-referrer',
      });
    }

    @Get('ui/:file')
    @RouteKind('page')
    async file({ params, headers }: EndpointRequest): Promise<Answer> {
      const acceptsGzip = /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''));
      const file = await this.files.find(params?.['file'] ?? '', acceptsGzip);
      if (file === undefined) throw new NotFoundException();
      // Cacheable, but revalidated by ETag on every request.
      const common = { 'Cache-Control': 'no-cache', ETag: file.etag, Vary: 'Accept-Encoding' };
      if (headers['if-none-match'] === file.etag) return Answer.empty(HttpStatus.NOT_MODIFIED, common);
      return Answer.of(file.content, {
        ...common,
        'Content-Type': file.type,
        'Content-Encoding': file.gzipped ? 'gzip' : undefined,
      });
    }
  }
  return PageController;
}
