import { getHeapStatistics } from 'node:v8';
import type { Leak } from './leak.js';
import { LeakDetector } from './leak-detector.js';
import type { LeakReading } from './leak-reading.js';
import type { OperationCount } from './leak-suspects.js';
import { MajorCollections, type Traffic } from './major-collections.js';

/** A container without a limit reports a value above this. */
const NO_LIMIT = 2 ** 48;
const MB = 2 ** 20;
/** `heap_size_limit` includes a young generation of three semi-spaces of 16 MB, in which a leak does not stay. */
const YOUNG_GENERATION_BYTES = 48 * MB;
const OLD_SPACE = /^--max[-_]old[-_]space[-_]size=(\d+)$/;

/** Detects memory leaks of this process. */
export class MemoryWatch {
  private readonly detector: LeakDetector;
  private readonly collections: MajorCollections;
  private reported = new Map<Leak['memory'], Leak['state']>();

  /**
   * @param operations executions of the busiest operations since the start
   * @param listener called with each reading
   */
  constructor(
    traffic: () => Traffic,
    operations: () => Iterable<OperationCount>,
    listener: (reading: LeakReading) => void = () => {},
  ) {
    const rssLimitBytes = memoryLimit();
    this.detector = new LeakDetector({
      heapLimitBytes: heapLimit(),
      ...(rssLimitBytes === undefined ? {} : { rssLimitBytes }),
      operations,
    });
    this.collections = new MajorCollections(traffic, (reading) => {
      this.detector.add(reading);
      listener(reading);
    });
  }

  start(): void {
    this.collections.start();
  }

  stop(): void {
    this.collections.stop();
  }

  /** The leaks known now. */
  leaks(): Leak[] {
    return this.detector.verdicts();
  }

  /** The leaks that are new or have changed their state since the last call. */
  changedLeaks(): Leak[] {
    const leaks = this.leaks();
    const changed = leaks.filter(({ memory, state }) => this.reported.get(memory) !== state);
    this.reported = new Map(leaks.map(({ memory, state }) => [memory, state]));
    return changed;
  }
}

/** The largest size of the old generation in bytes, from V8's limit and Node's flags. */
export function heapLimit(): number {
  const flags = [...(process.env.NODE_OPTIONS ?? '').split(/\s+/), ...process.execArgv];
  return oldGenerationLimit(getHeapStatistics().heap_size_limit, flags);
}

/**
 * The largest size of the old generation. A process with `--max-old-space-size=64` reports a `heap_size_limit` of 112 MB and
 * runs out of memory at 64.
 * @param heapSizeLimit of `v8.getHeapStatistics()`, in bytes
 * @param flags as in `process.execArgv` and `NODE_OPTIONS`; the last one counts
 */
export function oldGenerationLimit(heapSizeLimit: number, flags: readonly string[]): number {
  for (const flag of [...flags].reverse()) {
    const megabytes = Number(OLD_SPACE.exec(flag)?.[1] ?? 0);
    if (megabytes > 0) return Math.min(heapSizeLimit, megabytes * MB);
  }
  return Math.max(heapSizeLimit / 2, heapSizeLimit - YOUNG_GENERATION_BYTES);
}

/** The memory limit of the process's container in bytes; undefined if it has none. */
export function memoryLimit(): number | undefined {
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 && limit < NO_LIMIT ? limit : undefined;
}
