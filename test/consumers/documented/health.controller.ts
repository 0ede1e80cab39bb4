// The health check of an application, whose result goes out without a type of its own.
import { Controller, Get } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult, HealthCheckService } from '@nestjs/terminus';
import {
  PerformanceHealthIndicator,
  type PerformanceHealthResult,
  type PerformanceHealthStatus,
} from 'nestjs-performance';

@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicator: PerformanceHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check() {
    return this.health.check([() => this.indicator.isHealthy('performance', { slowPercentage: 20 })]);
  }

  @Get('all')
  @HealthCheck()
  checkAll(): Promise<HealthCheckResult> {
    return this.health.check([
      async () => this.indicator.isHealthy('performance'),
      () => this.indicator.isHealthy('strict', { severity: 'down', heapUsedPercentage: undefined }),
    ]);
  }

  @Get('heap')
  checkHeap(heapUsedPercentage?: number) {
    const others = { eventLoopUtilization: 1, eventLoopDelayMs: 60_000 };
    return this.health.check([() => this.indicator.isHealthy('heap', { heapUsedPercentage, ...others })]);
  }

  @Get('status')
  async status(): Promise<PerformanceHealthStatus> {
    const { details } = await this.health.check([() => this.indicator.isHealthy('performance')]);
    const { performance }: PerformanceHealthResult<'performance'> = details;
    // @ts-expect-error The status is one of a few words.
    const misspelt: PerformanceHealthStatus = 'upp';
    return misspelt ?? performance.status;
  }
}
