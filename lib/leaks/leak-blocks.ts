/** The reading of a stretch of time at which the least was held. */
export interface LeakBlock {
  /** When that was, in milliseconds. */
  readonly at: number;
  readonly value: number;
  /** Requests in flight then. */
  readonly load: number;
  /** How often each operation had ended, where that is asked for; the indices are the owner's. */
  readonly counts?: ArrayLike<number>;
}

/** Blocks that a level keeps: windows of this many values are tested, which costs some 10 us. */
export const WINDOW_BLOCKS = 16;
/** Each level is twice as coarse as the one before: with blocks of a second the last one reaches back 97 days. */
export const LEVELS = 20;

/** What was held once is forgotten at this rate: a peak of last week is still known, one of last year is not. */
const FADES_MS = 14 * 86_400_000;

/**
 * A series at all scales at once, in bounded memory: the last 16 blocks, the last 16 pairs of blocks, of pairs of
 * pairs and so on. A block is its lowest reading, so that what comes and goes within it is not seen. Recent growth is
 * seen finely and old growth coarsely. Blocks are counted and not laid on a grid: where collections are rare,
 * each is a block by itself.
 */
export class LeakBlocks {
  private readonly levels: LeakBlock[][] = [];
  private readonly highest: LeakBlock[] = [];
  private readonly unpaired: (LeakBlock | undefined)[] = [];
  private lowest: LeakBlock | undefined;
  private closedAt = Number.NEGATIVE_INFINITY;

  /** @param blockMs the shortest time between the ends of two blocks, in milliseconds */
  constructor(private readonly blockMs: number) {}

  /**
   * @param counts called when the block ends, and not for each reading
   * @returns how many levels have a new block
   */
  add(at: number, value: number, load: number, counts?: () => ArrayLike<number> | undefined): number {
    if (this.lowest === undefined || value < this.lowest.value) this.lowest = { at, value, load };
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

  /** The blocks of a level, the oldest first. */
  level(level: number): readonly LeakBlock[] {
    return this.levels[level] ?? [];
  }

  /** How many levels have blocks. */
  get height(): number {
    return this.levels.length;
  }

  /** The blocks that reach back to the beginning, or as far as any do: of the coarsest level that has `least` of them. */
  whole(least: number): readonly LeakBlock[] {
    for (let level = this.height - 1; level > 0; level--) {
      const blocks = this.level(level);
      if (blocks.length >= least) return blocks;
    }
    return this.level(0);
  }

  /** The most that was held before the blocks that a level still has; of long ago it is remembered less and less. */
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
    const faded = value + (highest.value - value) * Math.exp((highest.at - at) / FADES_MS);
    this.highest[level] =
      value >= highest.value ? { at, value, load } : { at, value: faded, load: highest.load };
  }
}
