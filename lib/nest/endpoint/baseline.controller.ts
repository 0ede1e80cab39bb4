import { Controller, Get, Inject, NotFoundException, type Type } from '@nestjs/common';
import { encodeSnapshot } from '../../baseline/baseline-format.js';
import { PerformanceMonitor } from '../../monitor/performance-monitor.js';
import { Answer } from './answer.js';
import { Documented } from './api-documentation.js';

/** The controller of the baseline. @param path the path of the endpoint, already validated */
export function createBaselineController(path: string): Type {
  @Controller(path)
  class BaselineController {
    /** Concurrent requests share one encoding, which can have tens of megabytes. */
    private encoding: Promise<string> | undefined;

    constructor(@Inject(PerformanceMonitor) private readonly monitor: PerformanceMonitor) {}

    /** The baseline learned by this run, in the format that `nestjs-performance compare` reads. */
    @Get('baseline')
    @Documented('The baselines of operations, one JSON document per line')
    async baseline(): Promise<Answer> {
      if (!this.monitor.options.baseline.enabled)
        throw new NotFoundException('The baseline is disabled: the option baseline.enabled is false');
      this.encoding ??= encodeSnapshot(this.monitor.baselineSnapshot()).finally(() => {
        this.encoding = undefined;
      });
      return Answer.of(await this.encoding, { 'Content-Type': 'application/x-ndjson; charset=utf-8' });
    }
  }
  return BaselineController;
}
