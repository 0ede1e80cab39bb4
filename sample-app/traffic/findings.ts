import { Injectable, Logger } from '@nestjs/common';
import { OnPerformanceAlert, type PerformanceAlert, PerformanceMonitorService } from 'nestjs-performance';

/** Tells of objectives that are missed, and of the slow operations when asked: what an application does with the service. */
@Injectable()
export class Findings {
  private readonly logger = new Logger('Findings');

  constructor(private readonly performance: PerformanceMonitorService) {}

  @OnPerformanceAlert({ rule: 'slo_*', state: 'firing' })
  page({ summary }: PerformanceAlert): void {
    this.logger.error(`Here somebody would be called: ${summary}`);
  }

  /** Logs what was slow, and why. */
  print(): void {
    this.printSlow();
    this.printExplanations();
    this.printFindings();
  }

  /** Each operation that was slow at least once, the one that took the most time first. */
  private printSlow(): void {
    const { totalOperations, totalSlowOperations, operations } = this.performance.getStats();
    this.logger.log(`${totalSlowOperations} of ${totalOperations} operations were slow:`);
    for (const { type, name, slowCount, count, p50 = 0, maxDuration = 0 } of operations) {
      if (slowCount === 0) continue;
      const times = `${slowCount} of ${count}`.padStart(9);
      this.logger.log(`  ${times}  median ${ms(p50)}  max ${ms(maxDuration)}  ${type.padEnd(11)} ${name}`);
    }
  }

  /** The slowest time of each route, in words. */
  private printExplanations(): void {
    this.logger.log('Why:');
    const told = new Set<string>();
    const slow = this.performance.getSlowOperations({ type: 'http' });
    for (const { name, explanation } of slow.sort((a, b) => b.durationMs - a.durationMs)) {
      if (told.has(name)) continue;
      told.add(name);
      this.logger.log(`  ${explanation}`);
    }
  }

  private printFindings(): void {
    const findings = this.performance.getFindings();
    if (findings.length > 0) this.logger.log('Findings:');
    for (const { severity, count, explanation } of findings)
      this.logger.log(`  ${severity.padEnd(8)} ${count} x  ${explanation}`);
  }
}

function ms(value: number): string {
  return `${Math.round(value)} ms`.padStart(8);
}
