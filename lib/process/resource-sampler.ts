import { performance } from 'node:perf_hooks';
// Not the global ones, which a test of the application may have replaced.
import { clearTimeout, setImmediate, setTimeout } from 'node:timers';
import { getHeapStatistics } from 'node:v8';
import { ownPauseTotalMs } from '../async/own-pauses.js';
import { COST } from '../overhead/cost-points.js';
import { meter } from '../overhead/meter.js';
import { round } from '../text/round.js';
import { CgroupThrottling } from './cgroup-cpu.js';
import { GcPauses } from './gc-pauses.js';
import { HEARTBEAT_MS, type HeartbeatListener, heartbeat } from './heartbeat.js';
import { LoopDelay } from './loop-delay.js';
import { loopIdleMs } from './loop-idle.js';
import { residentBytes } from './resident-set.js';
import { ResourceHistory, type ResourceReading } from './resource-history.js';
import { SAMPLED_EVERY_MS } from './resource-options.js';
import { threadClock } from './thread-clock.js';

/** The process's resources as `/performance/stats` shows them. */
export interface CurrentResources {
  /** Milliseconds since 1970. */
  timestamp: number;
  /** Bytes, like `process.memoryUsage()`; `heapUsedMB` and `heapTotalMB` in MB (2^20 bytes). */
  memory: {
    heapUsed: number;
    heapTotal: number;
    heapLimit: number;
    external: number;
    rss: number;
    heapUsedMB: number;
    heapTotalMB: number;
  };
  /** CPU time since the process started, in microseconds and milliseconds. */
  cpu: { user: number; system: number; userMs: number; systemMs: number };
  /** Over the last second: the share of time the loop was busy (0 to 1) and the longest timer delay. */
  eventLoop: { utilization?: number; delayMaxMs?: number };
  /** Pauses since sampling started. */
  gc: { count: number; pauseMs: number };
}

/** What the process did while the operation ran. */
export interface ResourceEvidence {
  heapUsedMb: number;
  heapTotalMb: number;
  rssMb: number;
  /** CPU time of the whole process during the operation, interpolated between samples 250 ms apart by default. */
  cpuUserMs: number;
  cpuSystemMs: number;
  /** The share of the interval in which the event loop was busy, 0 to 1. */
  eventLoopUtilization: number;
  /** The longest timer delay within the interval. */
  eventLoopDelayMaxMs: number;
  /** CPU time of the main thread within the interval. Linux only. */
  threadCpuMs?: number;
  /**
   * The time within the interval in which the main thread was ready to run and had no CPU, because of other processes or a
   * CPU limit; and how long a CPU limit stopped the container. Linux only.
   */
  cpuRunDelayMs?: number;
  cpuThrottledMs?: number;
  /** Garbage collection pauses within the interval. */
  gcPauseMs: number;
}

/** Readings kept: five minutes at the default interval. */
const KEPT = 1200;
/** The resident set is read so often, at most. */
const SECOND_MS = 1000;
/** While the process rests, one of so many heartbeats is sampled, as it is by default while it works. */
const BEATS = SAMPLED_EVERY_MS / HEARTBEAT_MS;
const MB = 1024 * 1024;
const TIMER_MS = 10;

type Cumulative = Exclude<
  keyof ResourceReading,
  'at' | 'heapUsed' | 'heapTotal' | 'external' | 'rss' | 'eventLoopDelayMaxMs'
>;

/** Samples CPU, memory, event loop and garbage collection on one timer that does not keep the process alive. */
export class ResourceSampler {
  readonly history = new ResourceHistory(KEPT);
  private timer: NodeJS.Timeout | undefined;
  /** Milliseconds from a sample to the next one. */
  private paceMs = 0;
  private sampledAt = 0;
  private readonly delay = new LoopDelay();
  /** @internal */
  readonly gc = new GcPauses();
  private readonly throttling = new CgroupThrottling();
  private rssReadAt = Number.NEGATIVE_INFINITY;
  /** Called after each sample. Must not throw. @internal */
  onSample: (() => void) | undefined;

  /** @param intervalMs milliseconds between two samples */
  constructor(private readonly intervalMs: number) {}

  start(): void {
    if (this.timer !== undefined) return;
    this.delay.start();
    this.gc.start();
    this.sample();
    this.adapt();
    if (this.intervalMs >= SAMPLED_EVERY_MS) heartbeat().add(this.listener);
  }

  stop(): void {
    heartbeat().remove(this.listener);
    clearTimeout(this.timer);
    this.timer = undefined;
    this.paceMs = 0;
    this.delay.stop();
    this.gc.stop();
  }

  /**
   * What the process did from `startedAt` (clock of `performance.now()`) until now. The sample that spans `startedAt`
   * is divided in proportion to the loop's busy time, because an idle loop spends neither CPU time nor collector
   * pauses.
   * @param busyMs the loop's busy time in the interval, if known
   * @param stallMs the longest stall within the interval, if known
   * @param endedAt when the operation ended, a moment ago
   */
  evidence(startedAt: number, busyMs?: number, stallMs = 0, endedAt = performance.now()): ResourceEvidence {
    this.gc.refresh();
    const heap = getHeapStatistics();
    const newest = this.history.last();
    const present = this.read(
      newest?.rss ?? 0,
      0,
      heap.used_heap_size,
      heap.total_heap_size,
      heap.external_memory,
    );
    const { before, after } = this.history.surrounding(startedAt, present);
    const elapsed = after.at - before.at;
    const byTime = elapsed > 0 ? Math.min(1, Math.max(0, (after.at - startedAt) / elapsed)) : 1;
    const active = after.eventLoopActiveMs - before.eventLoopActiveMs;
    const busySince = present.eventLoopActiveMs - after.eventLoopActiveMs;
    const byBusy =
      busyMs === undefined || active <= 0 ? byTime : Math.min(1, Math.max(0, (busyMs - busySince) / active));
    const since = (field: Cumulative, share: number): number =>
      present[field] - after[field] + (after[field] - before[field]) * share;
    const durationMs = present.at - startedAt;
    const activeMs = busyMs ?? since('eventLoopActiveMs', byTime);
    const limited = present.throttledMs > 0;
    const delayMs = Math.max(this.history.delayMaxSince(startedAt), this.delay.max(startedAt), stallMs);
    return {
      heapUsedMb: round(present.heapUsed / MB),
      heapTotalMb: round(present.heapTotal / MB),
      rssMb: round(present.rss / MB),
      cpuUserMs: positive(since('cpuUserMs', byBusy)),
      cpuSystemMs: positive(since('cpuSystemMs', byBusy)),
      eventLoopUtilization: durationMs > 0 ? round(Math.min(1, Math.max(0, activeMs / durationMs))) : 0,
      eventLoopDelayMaxMs: positive(Math.min(endedAt - startedAt, delayMs)),
      gcPauseMs: positive(this.gc.within(startedAt, endedAt) ?? since('gcPauseMs', byBusy)),
      ...(threadClock().isExact
        ? {
            threadCpuMs: positive(since('threadCpuMs', byBusy)),
            cpuRunDelayMs: positive(since('runDelayMs', byBusy)),
          }
        : {}),
      ...(limited ? { cpuThrottledMs: positive(since('throttledMs', byBusy)) } : {}),
    };
  }

  /**
   * How long the garbage collector paused the process within a time, in milliseconds, with the collections of this turn of the
   * event loop: Node reports them in the next one.
   * @param from on the clock of `performance.now()`, as `to`
   * @returns undefined if that is not known any more
   * @internal
   */
  async pausesWithin(from: number, to: number): Promise<number | undefined> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.gc.refresh();
    return this.gc.within(from, to);
  }

  /** The current figures. */
  current(): CurrentResources {
    const heap = getHeapStatistics();
    const { used_heap_size: heapUsed, total_heap_size: heapTotal } = heap;
    const cpu = process.cpuUsage();
    const newest = this.history.last();
    const before = this.history.earlier(SECOND_MS - TIMER_MS);
    const eventLoop: CurrentResources['eventLoop'] = {};
    if (newest !== undefined && before !== undefined) {
      const active = newest.eventLoopActiveMs - before.eventLoopActiveMs;
      const idle = newest.eventLoopIdleMs - before.eventLoopIdleMs;
      if (active + idle > 0) eventLoop.utilization = round(active / (active + idle));
      eventLoop.delayMaxMs = round(this.history.delayMaxSince(newest.at - 1000));
    }
    return {
      timestamp: Date.now(),
      memory: {
        heapUsed,
        heapTotal,
        heapLimit: heap.heap_size_limit,
        external: heap.external_memory,
        rss: residentBytes(),
        heapUsedMB: Math.round((heapUsed / MB) * 100) / 100,
        heapTotalMB: Math.round((heapTotal / MB) * 100) / 100,
      },
      cpu: {
        user: cpu.user,
        system: cpu.system,
        userMs: round(cpu.user / 1000),
        systemMs: round(cpu.system / 1000),
      },
      eventLoop,
      gc: { count: this.gc.count, pauseMs: round(this.gc.totalMs) },
    };
  }

  private readonly listener: HeartbeatListener = {
    beat: () => this.adapt(),
    // The next beat follows soon.
    woken: () => {},
  };

  /** A timer that does nothing would wake an idle process as well. */
  private adapt(): void {
    const { isResting, intervalMs: beatMs } = heartbeat();
    const paceMs = isResting ? Math.max(this.intervalMs, BEATS * beatMs) : this.intervalMs;
    if (paceMs === this.paceMs) return;
    this.paceMs = paceMs;
    clearTimeout(this.timer);
    this.schedule();
  }

  private schedule(): void {
    const ms = Math.max(1, this.sampledAt + this.paceMs - performance.now());
    this.timer = setTimeout(this.called, ms).unref();
  }

  private readonly called = (): void => {
    meter.measure(COST.timers, () => this.sample());
    this.schedule();
    this.onSample?.();
  };

  private sample(): void {
    this.gc.refresh();
    const heap = getHeapStatistics();
    const delayMax = this.delay.max();
    this.delay.reset();
    // The resident set comes from the operating system, which takes fifty times as long as the heap's figures.
    let rss = this.history.last()?.rss ?? 0;
    if (isPast(this.rssReadAt, SECOND_MS)) {
      rss = residentBytes();
      this.rssReadAt = performance.now();
    }
    const reading = this.read(rss, delayMax, heap.used_heap_size, heap.total_heap_size, heap.external_memory);
    this.history.add(reading);
    this.sampledAt = reading.at;
  }

  private read(
    rss: number,
    eventLoopDelayMaxMs: number,
    heapUsed: number,
    heapTotal: number,
    external: number,
  ): ResourceReading {
    const cpu = process.cpuUsage();
    const clock = threadClock();
    clock.read();
    const at = performance.now();
    const idleMs = loopIdleMs();
    return {
      at,
      heapUsed,
      heapTotal,
      external,
      rss,
      cpuUserMs: cpu.user / 1000,
      cpuSystemMs: cpu.system / 1000,
      eventLoopActiveMs: at - idleMs - ownPauseTotalMs(),
      eventLoopIdleMs: idleMs,
      eventLoopDelayMaxMs,
      gcPauseMs: this.gc.totalMs,
      threadCpuMs: clock.cpuMs,
      runDelayMs: clock.runDelayMs,
      throttledMs: this.throttling.read(),
    };
  }
}

/** Whether a moment is so long ago, but for how inexact timers are. */
function isPast(moment: number, ms: number): boolean {
  return performance.now() - moment >= ms - TIMER_MS;
}

function positive(value: number): number {
  return value > 0 ? round(value) : 0;
}
