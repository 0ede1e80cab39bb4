import { performance } from 'node:perf_hooks';
// Not the global ones, which a test of the application may have replaced.
import { clearInterval, setInterval } from 'node:timers';
import { getHeapStatistics } from 'node:v8';
import type { Deadline } from '../async/deadline.js';
import { Baseline } from '../baseline/baseline.js';
import type { Regression } from '../baseline/regression.js';
import { ResourceTrends } from '../baseline/resource-trends.js';
import type { Trend } from '../baseline/trend.js';
import type { Observation } from '../explain/finding.js';
import { observeLeak, observeRegression, observeTrend } from '../explain/observe-change.js';
import type { Leak } from '../leaks/leak.js';
import { MemoryWatch, memoryLimit } from '../leaks/memory-watch.js';
import { COST } from '../overhead/cost-points.js';
import { meter } from '../overhead/meter.js';
import type { ResourceSampler } from '../process/resource-sampler.js';
import type { ResourcePeaks } from '../report/resource-peaks.js';
import { concurrentRequests } from '../spans/concurrent-requests.js';
import type { Statistics } from '../statistics/statistics.js';
import { own } from '../validation/own.js';
import type { ResolvedOptions } from './options.js';

const TICK_MS = 10_000;
/** Operations that are considered as the origin of a leak. */
const SUSPECTS = 32;

export interface LongTermDependencies {
  statistics(): Statistics;
  readonly resources: ResourceSampler;
  readonly peaks: ResourcePeaks;
  observed(observation: Observation): void;
  /** A leak was confirmed. */
  onLeak(leak: Leak): void;
  onError(error: unknown): void;
  /** The counters of objectives, which are saved with the baseline and restored after a restart. */
  readonly slo: { saved(): unknown; restore(saved: unknown): void };
}

/** Analyses over hours and days: baselines, regressions, trends and leaks. */
export class LongTermAnalysis {
  readonly baseline: Baseline;
  /** Logs that a baseline could not be read or saved. Set by the module. */
  warn: ((message: string) => void) | undefined;
  private readonly memory: MemoryWatch | undefined;
  private readonly resourceTrends = new ResourceTrends();
  private readonly rssLimit = memoryLimit();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: ResolvedOptions,
    private readonly dependencies: LongTermDependencies,
  ) {
    const { serviceName, serviceVersion, thresholds, detection } = options;
    this.baseline = new Baseline(
      options.baseline,
      {
        service: serviceName,
        version: serviceVersion,
        maxOperations: detection.maxOperations,
        operations: () => dependencies.statistics().withHistory(),
        thresholdOf: (type) => own(thresholds, type),
        onRegression: (regression) => dependencies.observed(observeRegression(regression)),
        onTrend: (trend) => dependencies.observed(observeTrend(trend)),
        onError: dependencies.onError,
        slo: dependencies.slo,
      },
      (message) => this.warned(message),
    );
    if (detection.memoryLeaks.enabled) {
      this.memory = new MemoryWatch(
        () => ({ inFlight: concurrentRequests.running, requests: dependencies.statistics().countOf('http') }),
        () => dependencies.statistics().busiest(SUSPECTS),
        (reading) => this.baseline.addMemory(reading),
      );
    }
  }

  start(): void {
    this.baseline.start();
    this.memory?.start();
    this.timer ??= setInterval(() => meter.measure(COST.timers, () => this.tick()), TICK_MS).unref();
  }

  /** The regressions: those that last, then those that are over. */
  regressions(): Regression[] {
    return this.baseline.regressions();
  }

  /** The current trends of operations and of the resources of the process. */
  trends(): Trend[] {
    return [...this.resourceTrends.trends(), ...this.baseline.trends()];
  }

  leaks(): Leak[] {
    return this.memory?.leaks() ?? [];
  }

  /** Saves the baseline, until the deadline. Never rejects. */
  async shutdown(deadline?: Deadline): Promise<void> {
    clearInterval(this.timer);
    this.timer = undefined;
    this.memory?.stop();
    await this.baseline.shutdown(deadline);
  }

  /** The log of the application may throw. */
  private warned(message: string): void {
    try {
      this.warn?.(message);
    } catch (error) {
      this.dependencies.onError(error);
    }
  }

  private tick(): void {
    try {
      this.dependencies.peaks.take();
      for (const leak of this.memory?.changedLeaks() ?? []) {
        this.dependencies.observed(observeLeak(leak));
        if (leak.state === 'confirmed') this.dependencies.onLeak(leak);
      }
      if (this.options.baseline.enabled) this.addResources();
    } catch (error) {
      this.dependencies.onError(error);
    }
  }

  private addResources(): void {
    // Monotonic: the wall clock may jump.
    const now = performance.timeOrigin + performance.now();
    const { memory, cpu, eventLoop } = this.dependencies.resources.current();
    const trends = this.resourceTrends.add(now, {
      heapUsed: memory.heapUsed,
      heapLimit: getHeapStatistics().heap_size_limit,
      rss: memory.rss,
      rssLimit: this.rssLimit,
      cpuMs: cpu.userMs + cpu.systemMs,
      delayMaxMs: eventLoop.delayMaxMs,
    });
    for (const trend of trends) this.dependencies.observed(observeTrend(trend));
  }
}
