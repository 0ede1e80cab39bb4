import { createHook, executionAsyncId } from 'node:async_hooks';
import { type HeldFrames, hasUserCode, holdUserFrames, type RawFrame } from './call-site.js';

interface Held {
  readonly frames: HeldFrames;
  /** The promise in whose job it was created. */
  readonly createdIn: number;
}

/** Promises of a request whose stacks are kept: each costs some microseconds. */
const MAX_HELD = 300;
/** Frames of a kept stack. The line of the `await` is among the innermost. */
const MAX_FRAMES = 16;
/** An ORM awaits the thenable of a driver, in the job of its own. */
const MAX_JOBS = 8;

/**
 * The stacks at which promises were created, while it records.
 *
 * `await` calls a thenable, such as the query of an ORM, from the queue of microtasks, where the stack is empty. That call
 * belongs to a promise that was created in the line of the `await`.
 */
export class PromiseStacks {
  private isOwn: (() => boolean) | undefined;
  private readonly held = new Map<number, Held>();
  // An error in a hook would end the process.
  private readonly hook = createHook({
    init: (asyncId, type) => {
      try {
        if (type === 'PROMISE') this.created(asyncId);
      } catch {
        this.stop();
      }
    },
  });

  get isRecording(): boolean {
    return this.isOwn !== undefined;
  }

  /** Records until {@link stop}, or until 300 promises were created. @param isOwn whether the code that runs is recorded */
  start(isOwn: () => boolean): void {
    this.stop();
    this.isOwn = isOwn;
    this.hook.enable();
  }

  /** Stops recording, and discards what was recorded. */
  stop(): void {
    this.hook.disable();
    this.isOwn = undefined;
    this.held.clear();
  }

  /**
   * The user's frames at the creation of the promise whose job runs now, or of the one in whose job that was created, and so
   * on; innermost first.
   */
  current(max: number): RawFrame[] {
    let id = executionAsyncId();
    for (let job = 0; job < MAX_JOBS; job++) {
      const held = this.held.get(id);
      if (held === undefined) break;
      const frames = held.frames(max);
      // A stack can be read once.
      this.held.set(id, { ...held, frames: () => frames });
      if (hasUserCode(frames)) return frames;
      id = held.createdIn;
    }
    return [];
  }

  private created(asyncId: number): void {
    if (this.isOwn?.() !== true) return;
    this.held.set(asyncId, { frames: holdUserFrames(undefined, MAX_FRAMES), createdIn: executionAsyncId() });
    if (this.held.size >= MAX_HELD) this.hook.disable();
  }
}
