import { Readable } from 'node:stream';
import {
  Controller,
  Get,
  Header,
  Headers,
  Inject,
  NotFoundException,
  Res,
  StreamableFile,
  type Type,
  UseGuards,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { EXPOSITION_TYPES } from '../metrics/exposition.js';
import { Scrapes } from '../metrics/scrape.js';
import { PerformanceMonitor } from '../monitor/performance-monitor.js';
import { Documented } from './api-documentation.js';
import { EndpointGuard } from './endpoint.guard.js';
import { scrapeFormat } from './metrics-format.js';

/** Nest asks for `header` of either framework's response. */
interface WithHeader {
  header(name: string, value: string): unknown;
}

/** The controller of what Prometheus scrapes below this path, which is that of the endpoint, and checked there. */
export function createMetricsController(path: string): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  @UseGuards(EndpointGuard)
  class MetricsController {
    private readonly scrapes: Scrapes;

    constructor(@Inject(PerformanceMonitor) private readonly monitor: PerformanceMonitor) {
      this.scrapes = new Scrapes(monitor.metrics);
    }

    @Get('metrics')
    @Documented('Metrics for Prometheus: OpenMetrics with exemplars, or its plain text')
    @Header('Cache-Control', 'no-store')
    @Header('Vary', 'Accept')
    async metrics(
      @Headers('accept') accept: string | undefined,
      @Res({ passthrough: true }) response: WithHeader,
    ): Promise<StreamableFile> {
      if (!this.monitor.options.metrics.enabled)
        throw new NotFoundException('There are no metrics: the option metrics.enabled is false');
      const format = scrapeFormat(accept);
      const pieces = await this.scrapes.get(format);
      response.header('X-Content-Type-Options', 'nosniff');
      return new StreamableFile(Readable.from(pieces, { objectMode: false }), {
        type: EXPOSITION_TYPES[format],
        length: pieces.reduce((sum, { length }) => sum + length, 0),
      });
    }
  }
  return MetricsController;
}
