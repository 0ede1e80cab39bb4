import {
  Controller,
  Get,
  Headers,
  HttpStatus,
  Inject,
  NotFoundException,
  Param,
  Req,
  Res,
  StreamableFile,
  type Type,
  UseGuards,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { PageFiles } from '../dashboard/page-files.js';
import { PAGE_POLICY, pageShell } from '../dashboard/page-shell.js';
import { Undocumented } from './api-documentation.js';
import { EndpointGuard } from './endpoint.guard.js';
import type { WithHeader } from './framework-response.js';
import { RouteKind } from './route-kind.js';

/** Both frameworks' responses set a status like this. */
interface WithStatus extends WithHeader {
  status(code: number): unknown;
}

/** The controller of the page at this path, which is that of the endpoint, and checked there. */
export function createPageController(path: string): Type {
  const lastSegment = path.slice(path.lastIndexOf('/') + 1);

  @Controller({ path, version: VERSION_NEUTRAL })
  @UseGuards(EndpointGuard)
  class PageController {
    constructor(
      @Inject(PageFiles) private readonly files: PageFiles,
      @Inject(HttpAdapterHost) { httpAdapter }: HttpAdapterHost,
    ) {
      // Fastify tells `performance/` from `performance`, and Nest takes the slash from what it is given. Routes are read
      // after this; every other one below the path comes before this one.
      if (httpAdapter?.getType() === 'fastify') Get(['', '*'])(PageController.prototype, 'page', handler());
    }

    @Get()
    @RouteKind('page')
    @Undocumented
    async page(
      @Req() { url, originalUrl = url }: { url: string; originalUrl?: string },
      @Param('*') rest: string | undefined,
      @Res({ passthrough: true }) response: WithHeader,
    ): Promise<string> {
      if (rest !== undefined && rest !== '') throw new NotFoundException();
      const [address = ''] = originalUrl.split('?', 1);
      response.header('Content-Type', 'text/html; charset=utf-8');
      // In the place of any that the application has for its own pages.
      response.header('Content-Security-Policy', PAGE_POLICY);
      response.header('Referrer-Policy', 'no-referrer');
      return pageShell(address.endsWith('/') ? './' : `${lastSegment}/`, await this.files.isBuilt());
    }

    @Get('ui/:file')
    @RouteKind('page')
    @Undocumented
    async file(
      @Param('file') name: string,
      @Headers('accept-encoding') accepted: string | undefined,
      @Headers('if-none-match') known: string | undefined,
      @Res({ passthrough: true }) response: WithStatus,
    ): Promise<StreamableFile | undefined> {
      const file = await this.files.find(name, /\bgzip\b/.test(accepted ?? ''));
      if (file === undefined) throw new NotFoundException();
      // May be kept, and is asked for each time whether it is still the same.
      response.header('Cache-Control', 'no-cache');
      response.header('ETag', file.etag);
      response.header('Vary', 'Accept-Encoding');
      if (known === file.etag) {
        response.status(HttpStatus.NOT_MODIFIED);
        return undefined;
      }
      if (file.gzipped) response.header('Content-Encoding', 'gzip');
      return new StreamableFile(file.content, { type: file.type, length: file.content.length });
    }
  }
  const handler = (): PropertyDescriptor =>
    Object.getOwnPropertyDescriptor(PageController.prototype, 'page') as PropertyDescriptor;
  return PageController;
}
