import type { RawFrame } from '../code/call-site.js';

/** Pieces of work of which a line is asked or known. */
const MAX_KEPT = 200;

/**
 * The lines of work that turned out to matter only when it was over. Its stack is gone by then, so it is taken when
 * the same work begins the next time, once: work that never mattered pays nothing.
 */
export class WantedStacks {
  private readonly kept = new Map<string, readonly RawFrame[] | undefined>();

  /** Asks for the line of this work. What was asked for longest ago makes room. */
  ask(fingerprint: string): void {
    if (this.kept.has(fingerprint)) return;
    for (const oldest of this.kept.keys()) {
      if (this.kept.size < MAX_KEPT) break;
      this.kept.delete(oldest);
    }
    this.kept.set(fingerprint, undefined);
  }

  /** Whether it was asked for and is not known yet. */
  isWanted(fingerprint: string): boolean {
    return this.kept.size > 0 && this.kept.has(fingerprint) && this.kept.get(fingerprint) === undefined;
  }

  keep(fingerprint: string, frames: readonly RawFrame[]): void {
    if (this.kept.has(fingerprint)) this.kept.set(fingerprint, frames);
  }

  /** The stack where it is known; else it is asked for. */
  find(fingerprint: string): readonly RawFrame[] | undefined {
    this.ask(fingerprint);
    return this.kept.get(fingerprint);
  }

  get(fingerprint: string): readonly RawFrame[] | undefined {
    return this.kept.get(fingerprint);
  }
}
