import type { RawFrame } from '../code/call-site.js';

/** Pieces of work of which a line is asked or known, and routes of each. */
const MAX_KEPT = 200;
const MAX_ROUTES = 10;
/** Stacks that are taken in vain before nobody is asked any more. */
const MAX_TRIES = 3;

interface Wanted {
  frames: readonly RawFrame[];
  tries: number;
}

/**
 * The lines of work that turned out to matter only when it was over. Its stack is gone by then, so it is taken when
 * the same route does the same work the next time: work that never mattered pays nothing.
 */
export class StackRequests {
  private readonly kept = new Map<string, Map<string, Wanted>>();
  /** The number of stacks of a route that came without a line of the user's: a pool may have called back. */
  private readonly empty = new Map<string, number>();

  /** Whether it is worth a stack who asks a pool for a connection. */
  wantsPool(route: string): boolean {
    return this.empty.size > 0 && this.empty.has(route);
  }

  /** Asks for the line of this work. What was asked for longest ago makes room. */
  ask(fingerprint: string, route: string): void {
    let routes = this.kept.get(fingerprint);
    if (routes === undefined) {
      if (this.kept.size >= MAX_KEPT) this.forgetOldest();
      routes = new Map();
      this.kept.set(fingerprint, routes);
    }
    if (!routes.has(route) && routes.size < MAX_ROUTES) routes.set(route, { frames: [], tries: 0 });
  }

  /** Whether it was asked for and is not known yet. */
  isWanted(fingerprint: string, route: string): boolean {
    if (this.kept.size === 0) return false;
    const wanted = this.kept.get(fingerprint)?.get(route);
    return wanted !== undefined && wanted.frames.length === 0 && wanted.tries < MAX_TRIES;
  }

  /** Keeps the stack; an empty one is not the last word. */
  keep(fingerprint: string, route: string, frames: readonly RawFrame[]): void {
    const wanted = this.kept.get(fingerprint)?.get(route);
    if (wanted === undefined) return;
    if (isEmpty(wanted)) this.count(route, -1);
    wanted.frames = frames;
    wanted.tries = frames.length > 0 ? 0 : wanted.tries + 1;
    if (isEmpty(wanted)) this.count(route, 1);
  }

  /** The stack where it is known; else it is asked for. */
  find(fingerprint: string, route: string): readonly RawFrame[] | undefined {
    this.ask(fingerprint, route);
    const frames = this.kept.get(fingerprint)?.get(route)?.frames;
    return frames === undefined || frames.length === 0 ? undefined : frames;
  }

  /** A stack of this work from any route. */
  any(fingerprint: string): readonly RawFrame[] | undefined {
    for (const { frames } of this.kept.get(fingerprint)?.values() ?? []) if (frames.length > 0) return frames;
    return undefined;
  }

  private forgetOldest(): void {
    for (const [oldest, routes] of this.kept) {
      for (const [route, wanted] of routes) if (isEmpty(wanted)) this.count(route, -1);
      this.kept.delete(oldest);
      return;
    }
  }

  private count(route: string, change: number): void {
    const count = (this.empty.get(route) ?? 0) + change;
    if (count > 0) this.empty.set(route, count);
    else this.empty.delete(route);
  }
}

/** Whether a stack was taken, in vain so far, and another one will be. */
function isEmpty({ tries }: Wanted): boolean {
  return tries > 0 && tries < MAX_TRIES;
}
