/** The bytes that a part of this package holds. */
export interface MemoryPart {
  readonly name: string;
  /** An estimate where the exact size is unknown. */
  bytes(): number;
  /** What it holds: windows, operations, statements. */
  entries(): number;
  /** Holds up to half of what it holds now, and at most that from now on. Undefined if nothing can be dropped. */
  readonly shrink?: (() => void) | undefined;
  /** Holds up to its own limit again. */
  readonly restore?: (() => void) | undefined;
}

/** The state of one part. */
export interface MemoryPartStatus {
  readonly bytes: number;
  readonly entries: number;
  /** It has dropped data, and holds less than its limit allows. */
  readonly reduced: boolean;
}

/** A part that dropped data, or that may hold its limit again. */
export interface MemoryChange {
  readonly part: string;
  readonly state: 'reduced' | 'restored';
  readonly bytes: number;
}

/** There is room again below this share of the budget. */
const ROOM = 0.6;
const STEPS_WITH_ROOM = 2;
/** Halving a part that holds less would gain nothing. */
const MIN_BYTES = 64 * 1024;

/** Keeps all buffers and tables of this package together below a budget: the largest that can be reduced is halved first. */
export class MemoryBudget {
  private readonly reduced = new Set<MemoryPart>();
  private withRoom = 0;

  constructor(
    readonly maxBytes: number,
    private readonly parts: readonly MemoryPart[],
  ) {}

  /** Reads all parts. */
  status(): { bytes: number; byPart: Record<string, MemoryPartStatus> } {
    const parts = this.parts.map((part): [string, MemoryPartStatus] => [
      part.name,
      { bytes: Math.round(part.bytes()), entries: part.entries(), reduced: this.reduced.has(part) },
    ]);
    const bytes = parts.reduce((sum, [, held]) => sum + held.bytes, 0);
    return { bytes, byPart: Object.fromEntries(parts) };
  }

  /** The parts that hold less than their limit allows. */
  get shed(): string[] {
    return [...this.reduced].map(({ name }) => name);
  }

  /** Call it regularly. Returns what changed for the first time: a part that is halved again is no change. */
  step(): MemoryChange | undefined {
    const sizes = new Map(this.parts.map((part) => [part, part.bytes()]));
    const bytes = [...sizes.values()].reduce((sum, one) => sum + one, 0);
    if (bytes > this.maxBytes) return this.reduce(sizes, bytes);
    this.withRoom = bytes < ROOM * this.maxBytes ? this.withRoom + 1 : 0;
    const [last] = [...this.reduced].slice(-1);
    if (last === undefined || this.withRoom < STEPS_WITH_ROOM) return undefined;
    this.withRoom = 0;
    this.reduced.delete(last);
    last.restore?.();
    return { part: last.name, state: 'restored', bytes };
  }

  private reduce(sizes: ReadonlyMap<MemoryPart, number>, bytes: number): MemoryChange | undefined {
    this.withRoom = 0;
    let largest: MemoryPart | undefined;
    let most = MIN_BYTES;
    for (const [part, size] of sizes) {
      if (part.shrink === undefined || size <= most) continue;
      largest = part;
      most = size;
    }
    if (largest === undefined) return undefined;
    largest.shrink?.();
    if (this.reduced.has(largest)) return undefined;
    this.reduced.add(largest);
    return { part: largest.name, state: 'reduced', bytes };
  }
}
