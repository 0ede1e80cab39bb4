import { Controller, Get, Inject, type Type } from '@nestjs/common';
import { PerformanceMonitor } from '../../monitor/performance-monitor.js';
import { Answer } from './answer.js';
import { Documented } from './api-documentation.js';

/** The controller of the instances. @param path the path of the endpoint, already validated */
export function createFleetController(path: string): Type {
  @Controller(path)
  class FleetController {
    constructor(@Inject(PerformanceMonitor) private readonly monitor: PerformanceMonitor) {}

    @Get('fleet')
    @Documented('All instances of the service: side by side, their operations added, and their findings')
    async fleet(): Promise<Answer> {
      return Answer.json(await this.monitor.fleet.view());
    }
  }
  return FleetController;
}
