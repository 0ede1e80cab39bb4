import { runCooperatively } from '../async/cooperative.js';
import { type ExpositionFormat, exposition } from './exposition.js';
import type { Metrics } from './metrics.js';

/** The size of a piece in bytes. Garbage collection would copy a single string repeatedly. */
const PIECE = 65_536;
/** Short, since collecting the text takes about as long again. */
const SLICE_MS = 0.75;
/** The maximal length of a UTF-16 code unit in UTF-8. */
const MAX_BYTES_PER_CHARACTER = 3;

/** Renders scrapes. Concurrent requests for the same format share one. */
export class Scrapes {
  private readonly running = new Map<ExpositionFormat, Promise<readonly Buffer[]>>();

  constructor(private readonly metrics: Metrics) {}

  /** All metrics as UTF-8 text in pieces. Holds the event loop for less than 2 ms at a time. */
  async get(format: ExpositionFormat): Promise<readonly Buffer[]> {
    let scrape = this.running.get(format);
    if (scrape === undefined) {
      scrape = this.render(format).finally(() => this.running.delete(format));
      this.running.set(format, scrape);
    }
    return scrape;
  }

  private async render(format: ExpositionFormat): Promise<readonly Buffer[]> {
    const pieces: Buffer[] = [];
    let piece = Buffer.allocUnsafe(PIECE);
    let used = 0;
    const finish = (next: number): void => {
      pieces.push(piece.subarray(0, used));
      piece = Buffer.allocUnsafe(Math.max(PIECE, next));
      used = 0;
    };
    await runCooperatively(
      exposition(this.metrics.list(), this.metrics.target, format, this.metrics.common),
      (text) => {
        const maxBytes = text.length * MAX_BYTES_PER_CHARACTER;
        if (used + maxBytes > piece.length) finish(maxBytes);
        used += piece.write(text, used);
      },
      SLICE_MS,
    );
    finish(0);
    return pieces;
  }
}
