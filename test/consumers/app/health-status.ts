// What is known of the health indicator's types where terminus is not installed.
import type { PerformanceHealthResult, PerformanceHealthStatus } from 'nestjs-performance';

export const statuses: PerformanceHealthStatus[] = ['up', 'down', 'degraded'];
// @ts-expect-error The status is one of a few words.
export const misspelt: PerformanceHealthStatus = 'upp';
export const result: PerformanceHealthResult<'performance'> = {
  performance: { status: 'up', heapUsedPercentage: 1 },
};
