import { TokenBucket } from './token-bucket.js';

/** Failed attempts per second and burst, for each address. */
const LIMIT = [20, 50] as const;
/** Maximum number of addresses remembered; the one that tried longest ago is dropped. */
export const MAX_GUESSERS = 1000;

/**
 * Limits failed attempts by their address, so that guessing is answered briefly. Only failures count, and only against
 * the address that they came from.
 */
export class GuessLimits {
  private readonly guessers = new Map<string, TokenBucket>();

  /** Counts a failed attempt. @returns false above the limit of this address */
  fail(address: string): boolean {
    const bucket = this.guessers.get(address) ?? new TokenBucket(...LIMIT);
    this.guessers.delete(address);
    this.guessers.set(address, bucket);
    if (this.guessers.size > MAX_GUESSERS) this.guessers.delete(this.guessers.keys().next().value as string);
    return bucket.take();
  }

  /** The number of addresses remembered. */
  get size(): number {
    return this.guessers.size;
  }
}
