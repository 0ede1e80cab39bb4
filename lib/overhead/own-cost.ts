import { ContextCost } from './context-cost.js';
import type { Meter } from './meter.js';

/** Figures of the process, all since its start or the start of sampling. */
export interface ProcessFigures {
  /** Milliseconds on a monotonic clock. */
  now(): number;
  /** CPU time of the whole process. */
  cpuMs(): number;
  /** Requests that ended. */
  requests(): number;
  /** Pauses of the garbage collector, and what was allocated until the last one. */
  collections(): { readonly ms: number; readonly allocatedBytes: number };
  /** CPU time in milliseconds that this package spends outside of measured calls, as far as it is known, by part. */
  others(): Iterable<readonly [part: string, ms: number]>;
}

/** What this package cost until a moment. */
export interface CostReading {
  readonly at: number;
  readonly processMs: number;
  readonly requests: number;
  /** CPU time in milliseconds by part. */
  readonly byPart: ReadonlyMap<string, number>;
}

/**
 * Adds up the CPU time of this package: its own calls by the {@link Meter}, the context of requests, its share of garbage
 * collection (as its share of what is allocated), and the rest as far as it is known.
 */
export class OwnCost {
  private readonly context: ContextCost;
  private contextMs = 0;
  private collectionsMs = 0;
  private ownBytes = 0;
  /** Own bytes until the last collection. */
  private collectedBytes = 0;
  private gcMs = 0;
  private allocatedBytes = 0;
  private readonly before: ReadonlyMap<string, number>;

  constructor(
    private readonly meter: Meter,
    private readonly figures: ProcessFigures,
    context = new ContextCost(),
  ) {
    this.context = context;
    this.before = this.measured();
    const { ms, allocatedBytes } = figures.collections();
    this.gcMs = ms;
    this.allocatedBytes = allocatedBytes;
    this.collectedBytes = this.bytes();
  }

  /** Takes some 50 µs. */
  read(): CostReading {
    const { figures, context } = this;
    this.meter.adapt();
    context.read();
    this.contextMs = context.ms;
    this.addCollections();
    const byPart = this.measured();
    for (const [part, ms] of this.before) byPart.set(part, Math.max(0, (byPart.get(part) ?? 0) - ms));
    byPart.set('context', this.contextMs);
    byPart.set('collections', this.collectionsMs);
    return { at: figures.now(), processMs: figures.cpuMs(), requests: figures.requests(), byPart };
  }

  private addCollections(): void {
    const { ms, allocatedBytes } = this.figures.collections();
    this.ownBytes = this.bytes();
    const allocated = allocatedBytes - this.allocatedBytes;
    if (allocated > 0) {
      const share = Math.min(1, (this.ownBytes - this.collectedBytes) / allocated);
      this.collectionsMs += (ms - this.gcMs) * share;
      this.collectedBytes = this.ownBytes;
    }
    this.gcMs = ms;
    this.allocatedBytes = allocatedBytes;
  }

  private bytes(): number {
    return this.meter.points.reduce((sum, { bytes }) => sum + bytes, this.context.bytes);
  }

  private measured(): Map<string, number> {
    const byPart = new Map<string, number>();
    const add = (part: string, ms: number): void => void byPart.set(part, (byPart.get(part) ?? 0) + ms);
    for (const { part, ms } of this.meter.points) add(part, ms);
    for (const [part, ms] of this.figures.others()) add(part, ms);
    return byPart;
  }
}
