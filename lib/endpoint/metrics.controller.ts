import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
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
import { acceptsGzip, scrapeFormat } from './metrics-format.js';

/** A twentieth is left of the text; more effort saves little. It is made in Node's own threads. */
const GZIP_LEVEL = 3;

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
    @Header('Vary', 'Accept, Accept-Encoding')
    async metrics(
      @Headers('accept') accept: string | undefined,
      @Headers('accept-encoding') encoding: string | undefined,
      @Res({ passthrough: true }) response: WithHeader,
    ): Promise<StreamableFile> {
      if (!this.monitor.options.metrics.enabled)
        throw new NotFoundException('There are no metrics: the option metrics.enabled is false');
      const format = scrapeFormat(accept);
      const pieces = await this.scrapes.get(format);
      response.header('X-Content-Type-Options', 'nosniff');
      const type = EXPOSITION_TYPES[format];
      const text = Readable.from(pieces, { objectMode: false });
      if (acceptsGzip(encoding)) {
        response.header('Content-Encoding', 'gzip');
        // Whoever goes away before the end is nobody's fault.
        const compressed = pipeline(text, createGzip({ level: GZIP_LEVEL }), () => {});
        return new StreamableFile(compressed, { type });
      }
      return new StreamableFile(text, {
        type,
        length: pieces.reduce((sum, { length }) => sum + length, 0),
      });
    }
  }
  return MetricsController;
}
