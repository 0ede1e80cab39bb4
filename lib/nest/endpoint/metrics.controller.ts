import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { Controller, Get, Inject, NotFoundException, type Type } from '@nestjs/common';
import { EXPOSITION_TYPES } from '../../metrics/exposition.js';
import { Scrapes } from '../../metrics/scrape.js';
import { PerformanceMonitor } from '../../monitor/performance-monitor.js';
import { acceptsGzip, metricsFormat } from './accept.js';
import { Answer } from './answer.js';
import { Documented } from './api-documentation.js';
import type { EndpointRequest } from './endpoint-request.js';

/** Compresses to about 5 % in Node's thread pool; higher levels save little. */
const GZIP_LEVEL = 3;

/** The controller of the Prometheus metrics. @param path the path of the endpoint, already validated */
export function createMetricsController(path: string): Type {
  @Controller(path)
  class MetricsController {
    private readonly scrapes: Scrapes;

    constructor(@Inject(PerformanceMonitor) private readonly monitor: PerformanceMonitor) {
      this.scrapes = new Scrapes(monitor.metrics);
    }

    @Get('metrics')
    @Documented('Metrics for Prometheus: OpenMetrics with exemplars, or its plain text')
    async metrics({ headers }: EndpointRequest): Promise<Answer> {
      if (!this.monitor.options.metrics.enabled)
        throw new NotFoundException('Metrics are disabled: the option metrics.enabled is false');
      const format = metricsFormat(headers['accept'] as string | undefined);
      const pieces = await this.scrapes.get(format);
      const common = { 'Content-Type': EXPOSITION_TYPES[format], Vary: 'Accept, Accept-Encoding' };
      const text = Readable.from(pieces, { objectMode: false });
      if (acceptsGzip(headers['accept-encoding'] as string | undefined)) {
        // A client that disconnects early is not an error.
        const compressed = pipeline(text, createGzip({ level: GZIP_LEVEL }), () => {});
        return Answer.of(compressed, { ...common, 'Content-Encoding': 'gzip' });
      }
      const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
      return Answer.of(text, { ...common, 'Content-Length': String(length) });
    }
  }
  return MetricsController;
}
