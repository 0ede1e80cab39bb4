import { performance } from 'node:perf_hooks';
import { cooperativeMs } from '../async/cooperative.js';
import { MemoryBudget } from '../overhead/memory-budget.js';
import { meter } from '../overhead/meter.js';
import { Overhead } from '../overhead/overhead.js';
import { OwnCost } from '../overhead/own-cost.js';
import type { SheddablePart } from '../overhead/sheddable.js';
import { cpuTimeMs } from '../process/cpu-time.js';
import { threadClock } from '../process/thread-clock.js';
import { profilerThread, ThreadTimes } from '../process/thread-cpu.js';
import { type HoldingParts, heldMemory } from './held-memory.js';

const MB = 1024 * 1024;

/** Watches what the parts of a monitor cost, each time that the resources are sampled. */
export function watchOverhead(parts: HoldingParts & { reportError(error: unknown): void }): Overhead {
  const { options, statistics, analyzer, resources, profiling, reportError } = parts;
  const clock = threadClock();
  if (clock.isExact)
    meter.runDelay = () => {
      clock.read();
      return clock.runDelayMs;
    };
  const watching = new ThreadTimes();
  const sampling = new ThreadTimes();
  let sampler = 0;
  const isProfiling = (): boolean => profiling.status.state === 'on';
  const cost = new OwnCost(meter, {
    now: () => performance.now(),
    cpuMs: cpuTimeMs,
    requests: () => statistics.countOf('http'),
    collections: () => ({ ms: resources.gc.totalMs, allocatedBytes: resources.gc.allocatedBytes }),
    others: () => {
      sampler = isProfiling() ? sampler || profilerThread() : 0;
      return [
        ['threads', watching.read([analyzer.watchdog.thread])],
        ['profiling', sampling.read([sampler])],
        ['timers', cooperativeMs()],
      ];
    },
  });
  const explained = (): boolean => analyzer.explains;
  const runs: Readonly<Record<SheddablePart, () => boolean>> = {
    attribution: explained,
    profiling: isProfiling,
    waterfall: explained,
    values: explained,
    explaining: explained,
    providers: () => options.tracing.providers !== false,
  };
  const overhead = new Overhead(options.overhead, {
    cost,
    memory: new MemoryBudget(options.overhead.maxMemoryMb * MB, heldMemory(parts)),
    shedding: analyzer.shedding,
    runs: (part) => runs[part](),
    changed: (part, isPaused) => {
      if (part === 'explaining') analyzer.shedding.unexplainedSince = isPaused ? Date.now() : undefined;
      if (part === 'profiling') profiling.hold(isPaused ? 'it pauses, by overhead.maxCpuPercent' : undefined);
    },
    measuredOneOf: () => meter.interval,
    startWindows: 1,
  });
  resources.onSample = () => {
    try {
      overhead.tick(performance.now());
    } catch (error) {
      reportError(error);
    }
  };
  return overhead;
}
