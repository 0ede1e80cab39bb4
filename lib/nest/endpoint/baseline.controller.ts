import { Controller, Get, Inject, NotFoundException, type Type, UseGuards } from '@nestjs/common';
import { encodeSnapshot } from '../../baseline/baseline-format.js';
import { PerformanceMonitor } from '../../monitor/performance-monitor.js';
import { Answer } from './answer.js';
import { Documented } from './api-documentation.js';
import { EndpointGuard } from './endpoint.guard.js';

/** The controller of the baseline below this path, which is that of the endpoint, and checked there. */
export function createBaselineController(path: string): Type {
  @Controller(path)
  @UseGuards(EndpointGuard)
  class BaselineController {
    /** Whoever asks while one is made gets the same: it may have some ten megabytes. */
    private encoding: Promise<string> | undefined;

    constructor(@Inject(PerformanceMonitor) private readonly monitor: PerformanceMonitor) {}

    /** What this run has learned, as it is saved: `nestjs-performance compare` reads it. */
    @Get('baseline')
    @Documented('What operations are usually like, one JSON document a line')
    async baseline(): Promise<Answer> {
      if (!this.monitor.options.baseline.enabled)
        throw new NotFoundException('There is no baseline: the option baseline.enabled is false');
      this.encoding ??= encodeSnapshot(this.monitor.baselineSnapshot()).finally(() => {
        this.encoding = undefined;
      });
      return Answer.of(await this.encoding, { 'Content-Type': 'application/x-ndjson; charset=utf-8' });
    }
  }
  return BaselineController;
}
