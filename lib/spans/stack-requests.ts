import { hasUserCode, type RawFrame } from '../code/call-site.js';

/** Pieces of work whose stack is requested or known, and routes of each. */
const MAX_KEPT = 200;
const MAX_ROUTES = 10;
/** Stacks without a line of the application that are captured before a request is given up. */
const MAX_TRIES = 3;

interface StackRequest {
  frames: readonly RawFrame[];
  tries: number;
}

/**
 * Requests for the line of code behind a piece of work. That it matters is known only when it has ended and its stack is
 * gone, so the stack is captured on the next execution by the same route. Work without a request costs nothing.
 */
export class StackRequests {
  private readonly kept = new Map<string, Map<string, StackRequest>>();
  /** By route, the pieces of work whose stack is searched, and those of them of which one had no line of the application. */
  private readonly searched = new Map<string, number>();
  private readonly empty = new Map<string, number>();

  /** Whether a stack of work of a route is searched. */
  isSearching(route: string): boolean {
    return this.searched.size > 0 && this.searched.has(route);
  }

  /**
   * Whether one of them had no line of the application: a pool may have called back, or `await` may have called a thenable.
   */
  hasEmpty(route: string): boolean {
    return this.empty.size > 0 && this.empty.has(route);
  }

  /** Requests the stack of this work. The oldest request is dropped if there are too many. */
  ask(fingerprint: string, route: string): void {
    let routes = this.kept.get(fingerprint);
    if (routes === undefined) {
      if (this.kept.size >= MAX_KEPT) this.dropOldest();
      routes = new Map();
      this.kept.set(fingerprint, routes);
    }
    if (routes.has(route) || routes.size >= MAX_ROUTES) return;
    routes.set(route, { frames: [], tries: 0 });
    add(this.searched, route, 1);
  }

  /** Whether the stack is requested and not yet known. */
  isWanted(fingerprint: string, route: string): boolean {
    if (this.kept.size === 0) return false;
    const request = this.kept.get(fingerprint)?.get(route);
    return request !== undefined && isSearched(request);
  }

  /**
   * Keeps the stack. After one without the user's code, the next execution is tried; the last one may be that of an
   * application in an installed package.
   */
  keep(fingerprint: string, route: string, frames: readonly RawFrame[]): void {
    const request = this.kept.get(fingerprint)?.get(route);
    if (request === undefined) return;
    this.count(route, request, -1);
    const isFound = hasUserCode(frames);
    request.tries = isFound ? 0 : request.tries + 1;
    if (isFound || request.tries === MAX_TRIES) request.frames = frames;
    this.count(route, request, 1);
  }

  /** Requests a stack of which an execution just now had no line of the user's code. */
  markEmpty(fingerprint: string, route: string): void {
    if (this.kept.get(fingerprint)?.get(route)?.tries === 0) this.keep(fingerprint, route, []);
  }

  /** The stack if it is known; otherwise requests it. */
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

  private dropOldest(): void {
    for (const [oldest, routes] of this.kept) {
      for (const [route, request] of routes) this.count(route, request, -1);
      this.kept.delete(oldest);
      return;
    }
  }

  private count(route: string, request: StackRequest, change: number): void {
    if (!isSearched(request)) return;
    add(this.searched, route, change);
    if (request.tries > 0) add(this.empty, route, change);
  }
}

function isSearched({ frames, tries }: StackRequest): boolean {
  return frames.length === 0 && tries < MAX_TRIES;
}

function add(counts: Map<string, number>, route: string, change: number): void {
  const count = (counts.get(route) ?? 0) + change;
  if (count > 0) counts.set(route, count);
  else counts.delete(route);
}
