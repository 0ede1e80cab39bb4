import { performance } from 'node:perf_hooks';
// Not the global ones, which a test of the application may have replaced.
import { clearInterval, setInterval } from 'node:timers';
import { getHeapStatistics } from 'node:v8';
import { Baseline } from '../baseline/baseline.js';
import type { Regression } from '../baseline/regression.js';
import { ResourceTrends } from '../baseline/resource-trends.js';
import type { Trend } from '../baseline/trend.js';
import type { Observation } from '../explain/finding.js';
import { observeLeak, observeRegression, observeTrend } from '../explain/observe-change.js';
import type { Leak } from '../leaks/leak.js';
import { MemoryWatch, memoryLimit } from '../leaks/memory-watch.js';
import type { ResourceSampler } from '../process/resource-sampler.js';
import type { ResourcePeaks } from '../report/resource-peaks.js';
import { concurrentRequests } from '../spans/concurrent-requests.js';
import type { Statistics } from '../statistics/statistics.js';
import { own } from '../validation/own.js';
import type { ResolvedOptions } from './options.js';

const TICK_MS = 10_000;
/** Operations that a leak may be laid to. */
const BUSIEST = 32;

/** What is seen only over time, and whom it is told. */
export interface LongTermDependencies {
  statistics(): Statistics;
  readonly resources: ResourceSampler;
  readonly peaks: ResourcePeaks;
  observed(observation: Observation): void;
  /** A leak is certain now. */
  onLeak(leak: Leak): void;
  onError(error: unknown): void;
  /** What is saved with the baseline, and given back after a restart. */
  readonly slo: { saved(): unknown; restore(saved: unknown): void };
}

/** What needs hours and days to be seen: baselines and regressions, trends, and memory that leaks. */
export class LongTermAnalysis {
  readonly baseline: Baseline;
  /** Where it is told what could not be read or saved. Set by whoever has a log. */
  warn: ((message: string) => void) | undefined;
  private readonly memory: MemoryWatch | undefined;
  private readonly resourceTrends = new ResourceTrends();
  private readonly rssLimit = memoryLimit();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: ResolvedOptions,
    private readonly around: LongTermDependencies,
  ) {
    const { serviceName, serviceVersion, thresholds, detection } = options;
    this.baseline = new Baseline(
      options.baseline,
      {
        service: serviceName,
        version: serviceVersion,
        maxOperations: detection.maxOperations,
        operations: () => around.statistics().withHistory(),
        thresholdOf: (type) => own(thresholds, type),
        onRegression: (regression) => around.observed(observeRegression(regression)),
        onTrend: (trend) => around.observed(observeTrend(trend)),
        onError: around.onError,
        slo: around.slo,
      },
      (message) => this.warned(message),
    );
    if (detection.memoryLeaks.enabled) {
      this.memory = new MemoryWatch(
        () => ({ inFlight: concurrentRequests.running, requests: around.statistics().countOf('http') }),
        () => around.statistics().busiest(BUSIEST),
      );
    }
  }

  start(): void {
    this.baseline.start();
    this.memory?.start();
    this.timer ??= setInterval(() => this.tick(), TICK_MS).unref();
  }

  /** What got worse: what goes on, then what is over. */
  regressions(): Regression[] {
    return this.baseline.regressions();
  }

  /** The drifts of operations and of the process's resources that go on. */
  trends(): Trend[] {
    return [...this.resourceTrends.trends(), ...this.baseline.trends()];
  }

  leaks(): Leak[] {
    return this.memory?.leaks() ?? [];
  }

  /** Never rejects. */
  async shutdown(): Promise<void> {
    clearInterval(this.timer);
    this.timer = undefined;
    this.memory?.stop();
    await this.baseline.shutdown();
  }

  /** A log may be anybody's. */
  private warned(message: string): void {
    try {
      this.warn?.(message);
    } catch (error) {
      this.around.onError(error);
    }
  }

  private tick(): void {
    try {
      this.around.peaks.take();
      for (const leak of this.memory?.changedLeaks() ?? []) {
        this.around.observed(observeLeak(leak));
        if (leak.state === 'confirmed') this.around.onLeak(leak);
      }
      if (this.options.baseline.enabled) this.addResources();
    } catch (error) {
      this.around.onError(error);
    }
  }

  private addResources(): void {
    // The wall clock may jump.
    const now = performance.timeOrigin + performance.now();
    const { memory, cpu, eventLoop } = this.around.resources.current();
    const trends = this.resourceTrends.add(now, {
      heapUsed: memory.heapUsed,
      heapLimit: getHeapStatistics().heap_size_limit,
      rss: memory.rss,
      rssLimit: this.rssLimit,
      cpuMs: cpu.userMs + cpu.systemMs,
      delayMaxMs: eventLoop.delayMaxMs,
    });
    for (const trend of trends) this.around.observed(observeTrend(trend));
  }
}
