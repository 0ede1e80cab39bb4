import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { Controller, Get, Inject, NotFoundException, type Type, UseGuards } from '@nestjs/common';
import { EXPOSITION_TYPES } from '../../metrics/exposition.js';
import { Scrapes } from '../../metrics/scrape.js';
import { PerformanceMonitor } from '../../monitor/performance-monitor.js';
import { Answer } from './answer.js';
import { Documented } from './api-documentation.js';
import { EndpointGuard } from './endpoint.guard.js';
import type { EndpointRequest } from './endpoint-access.js';
import { acceptsGzip, scrapeFormat } from './metrics-format.js';

/** A twentieth is left of the text; more effort saves little. It is made in Node's own threads. */
const GZIP_LEVEL = 3;

/** The controller of what Prometheus scrapes below this path, which is that of the endpoint, and checked there. */
export function createMetricsController(path: string): Type {
  @Controller(path)
  @UseGuards(EndpointGuard)
  class MetricsController {
    private readonly scrapes: Scrapes;

    constructor(@Inject(PerformanceMonitor) private readonly monitor: PerformanceMonitor) {
      this.scrapes = new Scrapes(monitor.metrics);
    }

    @Get('metrics')
    @Documented('Metrics for Prometheus: OpenMetrics with exemplars, or its plain text')
    async metrics({ headers }: EndpointRequest): Promise<Answer> {
      if (!this.monitor.options.metrics.enabled)
        throw new NotFoundException('There are no metrics: the option metrics.enabled is false');
      const format = scrapeFormat(headers['accept'] as string | undefined);
      const pieces = await this.scrapes.get(format);
      const common = { 'Content-Type': EXPOSITION_TYPES[format], Vary: 'Accept, Accept-Encoding' };
      const text = Readable.from(pieces, { objectMode: false });
      if (acceptsGzip(headers['accept-encoding'] as string | undefined)) {
        // Whoever goes away before the end is nobody's fault.
        const compressed = pipeline(text, createGzip({ level: GZIP_LEVEL }), () => {});
        return Answer.of(compressed, { ...common, 'Content-Encoding': 'gzip' });
      }
      const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
      return Answer.of(text, { ...common, 'Content-Length': String(length) });
    }
  }
  return MetricsController;
}
