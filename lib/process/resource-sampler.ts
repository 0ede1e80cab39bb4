import { type IntervalHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { round } from '../text/round.js';
import { GcPauses } from './gc-pauses.js';
import { LoopClock } from './loop-idle.js';
import { ResourceHistory, type ResourceReading } from './resource-history.js';

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
  /** Garbage collection pauses within the interval. */
  gcPauseMs: number;
}

/** The interval of the event-loop delay monitor; a timer every 20 ms costs less than 0.1 % of a core. */
const DELAY_RESOLUTION_MS = 20;
/** Readings kept: five minutes at the default interval. */
const KEPT = 1200;
/** Every fourth sample reads the resident set: once a second at the default interval. */
const RSS_EVERY = 4;
const MB = 1024 * 1024;
const MIN_BUSY_MS = 10;

type Cumulative = 'cpuUserMs' | 'cpuSystemMs' | 'eventLoopActiveMs' | 'eventLoopIdleMs' | 'gcPauseMs';

/** Samples CPU, memory, event loop and garbage collection on one timer that does not keep the process alive. */
export class ResourceSampler {
  readonly history = new ResourceHistory(KEPT);
  private timer: NodeJS.Timeout | undefined;
  private delay: IntervalHistogram | undefined;
  /** @internal */
  readonly gc = new GcPauses();
  private readonly loop = new LoopClock();
  private samples = 0;

  /** @param intervalMs milliseconds between two samples */
  constructor(private readonly intervalMs: number) {}

  start(): void {
    if (this.timer !== undefined) return;
    this.delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
    this.delay.enable();
    this.gc.start();
    this.sample();
    this.timer = setInterval(() => this.sample(), this.intervalMs);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.delay?.disable();
    this.delay = undefined;
    this.gc.stop();
  }

  /**
   * What the process did from `startedAt` (clock of `performance.now()`) until now. The sample that spans `startedAt`
   * is divided in proportion to the loop's busy time, because an idle loop spends neither CPU time nor collector
   * pauses.
   * @param busyMs the loop's busy time in the interval, if known
   */
  evidence(startedAt: number, busyMs?: number): ResourceEvidence {
    // A shorter operation is not affected by pauses, and reading them takes about 20 us.
    if ((busyMs ?? performance.now() - startedAt) >= MIN_BUSY_MS) this.gc.refresh();
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
    const activeMs = since('eventLoopActiveMs', byTime);
    const idleMs = since('eventLoopIdleMs', byTime);
    // A block that still keeps the sampler from running shows as an overdue sample.
    const overdue = newest === undefined ? 0 : present.at - newest.at - this.intervalMs;
    return {
      heapUsedMb: round(present.heapUsed / MB),
      heapTotalMb: round(present.heapTotal / MB),
      rssMb: round(present.rss / MB),
      cpuUserMs: positive(since('cpuUserMs', byBusy)),
      cpuSystemMs: positive(since('cpuSystemMs', byBusy)),
      eventLoopUtilization:
        activeMs + idleMs > 0 ? round(Math.min(1, Math.max(0, activeMs / (activeMs + idleMs)))) : 0,
      eventLoopDelayMaxMs: positive(
        Math.max(this.history.delayMaxSince(startedAt), this.delayMax(), overdue),
      ),
      gcPauseMs: positive(since('gcPauseMs', byBusy)),
    };
  }

  /** The current figures. */
  current(): CurrentResources {
    const memory = process.memoryUsage();
    const cpu = process.cpuUsage();
    const newest = this.history.last();
    const second = Math.max(1, Math.round(1000 / this.intervalMs));
    const before = this.history.last(Math.min(second, Math.max(1, this.history.length - 1)));
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
        heapUsed: memory.heapUsed,
        heapTotal: memory.heapTotal,
        heapLimit: getHeapStatistics().heap_size_limit,
        external: memory.external,
        rss: memory.rss,
        heapUsedMB: Math.round((memory.heapUsed / MB) * 100) / 100,
        heapTotalMB: Math.round((memory.heapTotal / MB) * 100) / 100,
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

  private sample(): void {
    this.gc.refresh();
    const heap = getHeapStatistics();
    const delayMax = this.delayMax();
    this.delay?.reset();
    // The resident set comes from the operating system, which takes fifty times as long as the heap's figures.
    const rss =
      this.samples++ % RSS_EVERY === 0 ? process.memoryUsage.rss() : (this.history.last()?.rss ?? 0);
    const reading = this.read(rss, delayMax, heap.used_heap_size, heap.total_heap_size, heap.external_memory);
    this.history.add(reading);
    this.loop.advance(reading.cpuUserMs + reading.cpuSystemMs);
  }

  /** The longest delay since the last sample. Node's figure includes the interval of its own timer. */
  private delayMax(): number {
    return this.delay === undefined ? 0 : Math.max(0, this.delay.max / 1e6 - DELAY_RESOLUTION_MS);
  }

  private read(
    rss: number,
    eventLoopDelayMaxMs: number,
    heapUsed: number,
    heapTotal: number,
    external: number,
  ): ResourceReading {
    const cpu = process.cpuUsage();
    const { activeMs, idleMs } = this.loop.read((cpu.user + cpu.system) / 1000);
    return {
      at: performance.now(),
      heapUsed,
      heapTotal,
      external,
      rss,
      cpuUserMs: cpu.user / 1000,
      cpuSystemMs: cpu.system / 1000,
      eventLoopActiveMs: activeMs,
      eventLoopIdleMs: idleMs,
      eventLoopDelayMaxMs,
      gcPauseMs: this.gc.totalMs,
    };
  }
}

function positive(value: number): number {
  return value > 0 ? round(value) : 0;
}
