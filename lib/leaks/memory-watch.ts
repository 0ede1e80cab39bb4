import { getHeapStatistics } from 'node:v8';
import type { Leak } from './leak.js';
import { LeakDetector } from './leak-detector.js';
import { oldGenerationLimit } from './leak-limit.js';
import type { OperationCount } from './leak-suspects.js';
import { MajorCollections, type Traffic } from './major-collections.js';

/** What a container without a limit says that it may hold. */
const NO_LIMIT = 2 ** 48;

/** Watches this process's memory, and says when something leaks. */
export class MemoryWatch {
  private readonly detector: LeakDetector;
  private readonly collections: MajorCollections;
  private told = new Map<Leak['memory'], Leak['state']>();

  /** @param operations how often the busiest operations have ended since the start */
  constructor(traffic: () => Traffic, operations: () => Iterable<OperationCount>) {
    const rssLimitBytes = memoryLimit();
    this.detector = new LeakDetector({
      heapLimitBytes: heapLimit(),
      ...(rssLimitBytes === undefined ? {} : { rssLimitBytes }),
      operations,
    });
    this.collections = new MajorCollections(traffic, (reading) => this.detector.add(reading));
  }

  start(): void {
    this.collections.start();
  }

  stop(): void {
    this.collections.stop();
  }

  /** What leaks at present. */
  leaks(): Leak[] {
    return this.detector.verdicts();
  }

  /** What leaks and was not told yet, or was only suspected when it was. */
  news(): Leak[] {
    const leaks = this.leaks();
    const news = leaks.filter(({ memory, state }) => this.told.get(memory) !== state);
    this.told = new Map(leaks.map(({ memory, state }) => [memory, state]));
    return news;
  }
}

/** Bytes that live objects may take. */
export function heapLimit(): number {
  const flags = [...(process.env.NODE_OPTIONS ?? '').split(/\s+/), ...process.execArgv];
  return oldGenerationLimit(getHeapStatistics().heap_size_limit, flags);
}

/** Bytes that the process may hold in all, where its container says so. */
export function memoryLimit(): number | undefined {
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 && limit < NO_LIMIT ? limit : undefined;
}
