import { inSlices } from '../baseline/baseline-slices.js';
import { type ExpositionFormat, exposition } from './exposition.js';
import type { Metrics } from './metrics.js';

/** Text is turned into bytes in pieces of that many characters: to do so with all of it at once would take long. */
const PIECE = 16_384;

/** Answers scrapes: whoever asks for a format while one is made gets the same. */
export class Scrapes {
  private readonly running = new Map<ExpositionFormat, Promise<Buffer>>();

  constructor(private readonly metrics: Metrics) {}

  /** All metrics as text in UTF-8. The event loop is held for less than 2 ms at a time. */
  async get(format: ExpositionFormat): Promise<Buffer> {
    let scrape = this.running.get(format);
    if (scrape === undefined) {
      scrape = this.render(format).finally(() => this.running.delete(format));
      this.running.set(format, scrape);
    }
    return scrape;
  }

  private async render(format: ExpositionFormat): Promise<Buffer> {
    const pieces: Buffer[] = [];
    let text = '';
    await inSlices(exposition(this.metrics.list(), this.metrics.target, format), (series) => {
      text += series;
      if (text.length < PIECE) return;
      pieces.push(Buffer.from(text));
      text = '';
    });
    pieces.push(Buffer.from(text));
    return Buffer.concat(pieces);
  }
}
