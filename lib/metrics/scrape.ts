import { runCooperatively } from '../async/cooperative.js';
import { type ExpositionFormat, exposition } from './exposition.js';
import type { Metrics } from './metrics.js';

/** Bytes are kept in pieces of that size: as one text they would be copied by the collector again and again. */
const PIECE = 65_536;
/** The collector of what was text takes as long again. */
const SLICE_MS = 0.75;
/** What a character of JavaScript's takes in UTF-8 at the most. */
const BYTES_A_CHARACTER = 3;

/** Answers scrapes: whoever asks for a format while one is made gets the same. */
export class Scrapes {
  private readonly running = new Map<ExpositionFormat, Promise<readonly Buffer[]>>();

  constructor(private readonly metrics: Metrics) {}

  /** All metrics as text in UTF-8, in pieces. The event loop is held for less than 2 ms at a time. */
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
      exposition(this.metrics.list(), this.metrics.target, format),
      (text) => {
        const most = text.length * BYTES_A_CHARACTER;
        if (used + most > piece.length) finish(most);
        used += piece.write(text, used);
      },
      SLICE_MS,
    );
    finish(0);
    return pieces;
  }
}
