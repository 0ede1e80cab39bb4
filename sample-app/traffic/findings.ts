import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { PerformanceMonitorService } from 'nestjs-performance';

/** Tells of alerts as they come, and of the slow operations when asked: what an application does with the service. */
@Injectable()
export class Findings implements OnApplicationBootstrap {
  private readonly logger = new Logger('Findings');

  constructor(private readonly performance: PerformanceMonitorService) {}

  onApplicationBootstrap(): void {
    this.performance.alerts$.subscribe(({ state, summary }) =>
      this.logger.warn(`Alert ${state}: ${summary}`),
    );
  }

  /** Logs each operation that was slow at least once, the one that took the most time first. */
  print(): void {
    const { totalOperations, totalSlowOperations, operations } = this.performance.getStats();
    this.logger.log(`${totalSlowOperations} of ${totalOperations} operations were slow:`);
    for (const { type, name, slowCount, count, p50 = 0, maxDuration = 0 } of operations) {
      if (slowCount === 0) continue;
      const times = `${slowCount} of ${count}`.padStart(9);
      this.logger.log(`  ${times}  median ${ms(p50)}  max ${ms(maxDuration)}  ${type.padEnd(11)} ${name}`);
    }
  }
}

function ms(value: number): string {
  return `${Math.round(value)} ms`.padStart(8);
}
