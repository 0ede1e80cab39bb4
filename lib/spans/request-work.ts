import type { RawFrame } from '../code/call-site.js';
import { CallChain } from './call-chain.js';
import type { SpanTiming } from './span-timing.js';
import { CACHE, CONNECTION_POOL, MESSAGING } from './work.js';
import { WorkGroup, type WorkKey, type WorkOutcome } from './work-group.js';

/** Fingerprints that are told apart within one request. */
const MAX_GROUPS = 64;
/** Stacks that are taken within one request: each costs some 30 us. */
const MAX_STACKS = 8;

/** What one request waits for, grouped by fingerprint. Made with the first piece of work, and bounded. */
export class RequestWork {
  /**
   * The newest group, and through it the others: a list that needs no array. V8 may decide to make the arrays and
   * objects of a literal in the old generation, where each would keep what its request has left until the next full
   * collection.
   */
  private newest: WorkGroup | undefined = undefined;
  private size = 0;
  readonly chain = new CallChain();
  /** Within a transaction: what runs there shares one connection, and can't run side by side. */
  private inTransaction = false;
  private running = 0;
  /** How long something was waited for, and how much of it the event loop was idle. */
  private idleCovered = 0;
  private idleSince = 0;
  private stacks = 0;
  /** Groups of which the next start is worth a stack. */
  private wanting = 0;
  /** Who asked the pool for a connection last, as far as a stack was taken there. */
  poolFrames: readonly RawFrame[] = [];

  /** @param minRepetitions how many of one fingerprint are a repetition */
  constructor(private readonly minRepetitions: number) {}

  /** What it did so far, the newest first. */
  get groups(): WorkGroup[] {
    const groups: WorkGroup[] = [];
    for (let group = this.newest; group !== undefined; group = group.older) groups.push(group);
    return groups;
  }

  /** Whether it did anything often enough to be a repetition. */
  get mayRepeat(): boolean {
    let group = this.newest;
    while (group !== undefined && group.count < this.minRepetitions) group = group.older;
    return group !== undefined;
  }

  /** Whether the work that begins now may be the repetition of which the line of code is asked. */
  get wantsStack(): boolean {
    return this.wanting > 0 && this.mayTakeStack;
  }

  get mayTakeStack(): boolean {
    return this.stacks < MAX_STACKS;
  }

  /** Something to wait for begins. Returns whether nothing else is waited for. */
  started(idle: number): boolean {
    if (this.running++ > 0) return false;
    this.idleSince = idle;
    return true;
  }

  /** It ended. */
  ended(idle: number): void {
    if (--this.running === 0) this.idleCovered += idle - this.idleSince;
  }

  /** Finds the group of a piece of work, and tells it that one began. */
  begin(key: WorkKey, work: number, parent: SpanTiming, now: number, idle: number): WorkGroup | undefined {
    let group = this.find(key.fingerprint);
    if (group === undefined) {
      if (this.size >= MAX_GROUPS && !this.makeRoom()) return undefined;
      group = new WorkGroup(key, work, parent, this.newest);
      this.newest = group;
      this.size++;
    }
    group.begin(parent, now, this.pausedIdle(idle));
    if (group.started === this.minRepetitions - 1 && group.frames === undefined && isRepeatable(group))
      this.wanting++;
    return group;
  }

  end(group: WorkGroup, outcome: WorkOutcome, alone: boolean, now: number, idle: number): void {
    group.end(outcome, now, this.pausedIdle(idle));
    const { key, work } = group;
    if (work === CONNECTION_POOL) return;
    if (key.effect === 'control') this.transaction(key);
    else if (work !== CACHE && work !== MESSAGING)
      this.chain.add(group, outcome, alone && !this.inTransaction);
  }

  /** Keeps a stack that was taken at the start of a piece of work. */
  keepStack(group: WorkGroup, frames: readonly RawFrame[]): void {
    if (group.frames !== undefined) return;
    group.frames = frames;
    if (group.started >= this.minRepetitions - 1 && isRepeatable(group)) this.wanting--;
  }

  /** Counts a stack that was taken; of a pool's it is kept for what will run on the connection. */
  tookStack(work: number, frames: readonly RawFrame[]): void {
    this.stacks++;
    if (work === CONNECTION_POOL && frames.length > 0) this.poolFrames = frames;
  }

  /** How long the loop was idle while nothing was waited for that is seen. */
  private pausedIdle(idle: number): number {
    return idle - this.idleCovered - (this.running > 0 ? idle - this.idleSince : 0);
  }

  private transaction({ name, fingerprint }: WorkKey): void {
    if (/^(?:BEGIN|START)/.test(name)) this.inTransaction = true;
    // ROLLBACK TO a savepoint goes on with the transaction.
    else if (/^(?:COMMIT|ROLLBACK|END)/.test(name) && !/^rollback .*\bto\b/.test(fingerprint))
      this.inTransaction = false;
    this.chain.close();
  }

  /** The newest first: what is repeated is found at once. */
  private find(fingerprint: string): WorkGroup | undefined {
    let group = this.newest;
    while (group !== undefined && group.key.fingerprint !== fingerprint) group = group.older;
    return group;
  }

  /** Forgets the oldest group that has not come again. */
  private makeRoom(): boolean {
    let younger: WorkGroup | undefined;
    let before: WorkGroup | undefined;
    let found: WorkGroup | undefined;
    for (let group = this.newest; group !== undefined; younger = group, group = group.older) {
      if (group.started > 1 || group.isRunning) continue;
      found = group;
      before = younger;
    }
    if (found === undefined) return false;
    if (before === undefined) this.newest = found.older;
    else before.older = found.older;
    this.size--;
    return true;
  }
}

/** Whether repeating it can be a fault: caches are made to be asked often, and control says nothing of data. */
export function isRepeatable({ key, work }: WorkGroup): boolean {
  return key.effect !== 'control' && work !== CACHE && work !== MESSAGING && work !== CONNECTION_POOL;
}
