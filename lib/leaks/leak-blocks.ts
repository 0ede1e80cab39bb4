/** The lowest reading in an interval. */
export interface LeakBlock {
  /** When it was taken, in milliseconds. */
  readonly at: number;
  readonly value: number;
  /** Requests in flight at that time. */
  readonly load: number;
  /** Requests since the start; NaN if unknown. */
  readonly requests: number;
  /** Executions of each operation at the end of the block, if requested; the caller defines the indices. */
  readonly counts?: ArrayLike<number>;
}

/** Blocks per level. The test of a window of this size takes about 10 us. */
export const WINDOW_BLOCKS = 16;
/** Each level is twice as coarse as the one below: with blocks of one second the coarsest reaches back 97 days. */
export const LEVELS = 20;

/** Time constant with which past peaks decay: one of last week still counts, one of last year does not. */
const DECAY_MS = 14 * 86_400_000;

/**
 * A series at all time scales in bounded memory: the last 16 blocks, the last 16 pairs of blocks, pairs of pairs and so
 * on. A block is its lowest reading, so temporary use within it is invisible. Recent growth has a fine resolution, old
 * growth a coarse one. Blocks are not aligned to a grid: if collections are rare, each is a block of its own.
 */
export class LeakBlocks {
  private readonly levels: LeakBlock[][] = [];
  private readonly highest: Pick<LeakBlock, 'at' | 'value' | 'load'>[] = [];
  private readonly unpaired: (LeakBlock | undefined)[] = [];
  private lowest: LeakBlock | undefined;
  private closedAt = Number.NEGATIVE_INFINITY;

  /** @param blockMs the shortest time between the ends of two blocks, in milliseconds */
  constructor(private readonly blockMs: number) {}

  /**
   * @param counts called when a block ends, rather than for each reading
   * @returns the number of levels that have a new block
   */
  add(
    at: number,
    value: number,
    load: number,
    counts?: () => ArrayLike<number> | undefined,
    requests = Number.NaN,
  ): number {
    if (this.lowest === undefined || value < this.lowest.value) this.lowest = { at, value, load, requests };
    if (at - this.closedAt < this.blockMs) return 0;
    this.closedAt = at;
    let block: LeakBlock = counts === undefined ? this.lowest : { ...this.lowest, counts: counts() };
    this.lowest = undefined;
    for (let level = 0; level < LEVELS; level++) {
      const blocks = this.levels[level] ?? [];
      this.levels[level] = blocks;
      blocks.push(block);
      const oldest = blocks.length > WINDOW_BLOCKS ? blocks.shift() : undefined;
      if (oldest !== undefined) this.remember(level, oldest);
      const other = this.unpaired[level];
      if (other === undefined) {
        this.unpaired[level] = block;
        return level + 1;
      }
      this.unpaired[level] = undefined;
      if (other.value < block.value) block = other;
    }
    return LEVELS;
  }

  /** The blocks of a level, oldest first. */
  level(level: number): readonly LeakBlock[] {
    return this.levels[level] ?? [];
  }

  /** The number of levels that have blocks. */
  get height(): number {
    return this.levels.length;
  }

  /** The blocks of the coarsest level that has at least `least` of them: they reach back furthest. */
  whole(least: number): readonly LeakBlock[] {
    for (let level = this.height - 1; level > 0; level--) {
      const blocks = this.level(level);
      if (blocks.length >= least) return blocks;
    }
    return this.level(0);
  }

  /** The highest value before the blocks that a level still holds, decaying with age. */
  highestBefore(level: number, perLoad: number): number {
    const highest = this.highest[level];
    return highest === undefined ? Number.NEGATIVE_INFINITY : highest.value - perLoad * highest.load;
  }

  private remember(level: number, { at, value, load }: LeakBlock): void {
    const highest = this.highest[level];
    if (highest === undefined) {
      this.highest[level] = { at, value, load };
      return;
    }
    const decayed = value + (highest.value - value) * Math.exp((highest.at - at) / DECAY_MS);
    this.highest[level] =
      value >= highest.value ? { at, value, load } : { at, value: decayed, load: highest.load };
  }
}
