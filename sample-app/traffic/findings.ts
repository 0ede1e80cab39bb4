import { Injectable, Logger } from '@nestjs/common';
import { OnPerformanceAlert, type PerformanceAlert, PerformanceMonitorService } from 'nestjs-performance';

/** The maximum length of each list, so that all fit on a screen. */
const MAX_LINES = 8;

/** Shows the use of the service: logs alerts of objectives, and prints slow operations. */
@Injectable()
export class Findings {
  private readonly logger = new Logger('Findings');

  constructor(private readonly performance: PerformanceMonitorService) {}

  @OnPerformanceAlert({ rule: 'slo_*', state: 'firing' })
  page({ summary }: PerformanceAlert): void {
    this.logger.error(`A real store would page its operator now: ${summary}`);
  }

  /** Prints the slow operations with their causes. */
  print(): void {
    const lines = [...this.slowLines(), ...this.explanationLines(), ...this.findingLines()];
    process.stdout.write(`\n${lines.map((line) => `  ${line}\n`).join('')}\n`);
  }

  /** Each operation with slow calls, sorted by total time. */
  private *slowLines(): Generator<string> {
    const { totalOperations, totalSlowOperations, operations } = this.performance.getStats();
    yield `${totalSlowOperations} of ${totalOperations} operations were slow:`;
    const slow = operations.filter(({ slowCount }) => slowCount > 0).slice(0, MAX_LINES);
    for (const { type, name, slowCount, count, p50 = 0, maxDuration = 0 } of slow) {
      const times = `${slowCount} of ${count}`.padStart(11);
      yield `${times}  median ${ms(p50)}  max ${ms(maxDuration)}  ${type.padEnd(11)} ${name}`;
    }
  }

  /** The explanation of the slowest execution of each route. */
  private *explanationLines(): Generator<string> {
    yield 'Why:';
    const seen = new Set<string>();
    const slow = this.performance.getSlowOperations({ type: 'http' });
    for (const { name, explanation } of slow.sort((a, b) => b.durationMs - a.durationMs)) {
      if (seen.has(name) || seen.size === MAX_LINES) continue;
      seen.add(name);
      yield `  ${explanation}`;
    }
  }

  private *findingLines(): Generator<string> {
    const findings = this.performance.getFindings();
    if (findings.length > 0) yield 'Findings:';
    for (const { severity, count, explanation, plan } of findings.slice(0, MAX_LINES)) {
      yield `  ${severity.padEnd(8)} ${`${count} x`.padEnd(5)} ${explanation}`;
      if (plan === undefined) continue;
      const { explanation: shows, suggestedIndex } = plan;
      yield `                   ${shows}${suggestedIndex === undefined ? '' : ` Suggested: ${suggestedIndex.statement};`}`;
    }
  }
}

function ms(value: number): string {
  return `${Math.round(value)} ms`.padStart(8);
}
