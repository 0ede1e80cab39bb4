import type { HeldFrames, RawFrame } from '../code/call-site.js';
import { CallChain } from './call-chain.js';
import type { SpanTiming } from './span-timing.js';
import { CACHE, CONNECTION_POOL, MESSAGING } from './work.js';
import { WorkGroup, type WorkKey, type WorkOutcome } from './work-group.js';

/** Groups of work within one request. */
const MAX_GROUPS = 64;
/** Stacks that are captured within one request: each costs about 30 µs. */
const MAX_STACKS = 8;
/** Stacks of requests for a connection that are kept and mostly not read: each costs some microseconds. */
const MAX_POOL_STACKS = 32;

/** The work that one request waits for, grouped by fingerprint. Created with the first piece of work, and bounded. */
export class RequestWork {
  /**
   * The newest group of a linked list. V8 may allocate arrays and objects of a literal in the old generation, where each
   * would retain what belonged to its request until the next major collection.
   */
  private newest: WorkGroup | undefined = undefined;
  private size = 0;
  readonly chain = new CallChain();
  /** Statements of a transaction share one connection, and cannot run in parallel. */
  private inTransaction = false;
  private running = 0;
  /** How long the event loop was idle while work was waited for, and its idle time when the current wait began. */
  private idleCovered = 0;
  private idleSince = 0;
  private stacks = 0;
  private poolStacks = 0;
  /** The stacks that requested connections which a pool has not yet handed over. */
  private pooled: Map<object, HeldFrames> | undefined = undefined;
  /** The stack that requested the connection handed over last, where it was kept. */
  private poolFrames: HeldFrames | undefined = undefined;
  /** How many groups want the stack of their next execution. */
  private wanting = 0;

  /** @param minRepetitions how many executions of one fingerprint are a repetition */
  constructor(private readonly minRepetitions: number) {}

  /** The groups, the newest first. */
  get groups(): WorkGroup[] {
    const groups: WorkGroup[] = [];
    for (let group = this.newest; group !== undefined; group = group.older) groups.push(group);
    return groups;
  }

  /** Whether any group has enough executions for a repetition. */
  get mayRepeat(): boolean {
    let group = this.newest;
    while (group !== undefined && group.executions < this.minRepetitions) group = group.older;
    return group !== undefined;
  }

  /** Whether a test holds for any group. */
  some(test: (group: WorkGroup) => boolean): boolean {
    let group = this.newest;
    while (group !== undefined && !test(group)) group = group.older;
    return group !== undefined;
  }

  /** Whether the work that starts now may be the repetition whose line of code is wanted. */
  get wantsStack(): boolean {
    return this.wanting > 0;
  }

  get mayCaptureStack(): boolean {
    return this.stacks < MAX_STACKS;
  }

  /** Work that is waited for starts. Returns whether the request waits for nothing else. */
  started(idle: number): boolean {
    if (this.running++ > 0) return false;
    this.idleSince = idle;
    return true;
  }

  /** Work that was waited for ended. */
  ended(idle: number): void {
    if (--this.running === 0) this.idleCovered += idle - this.idleSince;
  }

  /** Adds an execution to its group. Returns undefined if there is no room for a new group. */
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
    else if (work !== CACHE && work !== MESSAGING && outcome.isSynchronous !== true) {
      const isAlone = alone && !this.inTransaction;
      if (isAlone && !outcome.error) group.alone++;
      this.chain.add(group, outcome, isAlone, now);
    }
  }

  /** Keeps a stack that was captured at the start of a piece of work. */
  keepStack(group: WorkGroup, frames: readonly RawFrame[]): void {
    if (group.frames !== undefined) return;
    group.frames = frames;
    if (group.started >= this.minRepetitions - 1 && isRepeatable(group)) this.wanting--;
  }

  stackCaptured(): void {
    this.stacks++;
  }

  /** Keeps the stack that requests a connection from a pool, for the work that will run on it. */
  poolRequested(pool: object, hold: () => HeldFrames): void {
    if (this.poolStacks >= MAX_POOL_STACKS) return;
    this.poolStacks++;
    this.pooled ??= new Map();
    this.pooled.set(pool, hold());
  }

  /** The pool hands over the connection: a callback may now call the driver. */
  poolReceived(pool: object): void {
    this.poolFrames = this.pooled?.get(pool);
    this.pooled?.delete(pool);
  }

  /** Reads the stack that requested the last connection. */
  takePoolFrames(max: number): readonly RawFrame[] {
    const frames = this.poolFrames?.(max) ?? [];
    this.poolFrames = undefined;
    return frames;
  }

  /** How long the event loop was idle while the request waited for no instrumented work. */
  private pausedIdle(idle: number): number {
    return idle - this.idleCovered - (this.running > 0 ? idle - this.idleSince : 0);
  }

  private transaction({ name, fingerprint }: WorkKey): void {
    if (/^(?:BEGIN|START)/.test(name)) this.inTransaction = true;
    // ROLLBACK TO a savepoint continues the transaction.
    else if (/^(?:COMMIT|ROLLBACK|END)/.test(name) && !/^rollback .*\bto\b/.test(fingerprint))
      this.inTransaction = false;
    this.chain.close();
  }

  /** Searches from the newest, where repeated work is found at once. */
  private find(fingerprint: string): WorkGroup | undefined {
    let group = this.newest;
    while (group !== undefined && group.key.fingerprint !== fingerprint) group = group.older;
    return group;
  }

  /** Removes the oldest group that was executed only once. Returns whether there was one. */
  private makeRoom(): boolean {
    let newer: WorkGroup | undefined;
    let newerThanFound: WorkGroup | undefined;
    let found: WorkGroup | undefined;
    for (let group = this.newest; group !== undefined; newer = group, group = group.older) {
      if (group.started > 1 || group.isRunning) continue;
      found = group;
      newerThanFound = newer;
    }
    if (found === undefined) return false;
    if (newerThanFound === undefined) this.newest = found.older;
    else newerThanFound.older = found.older;
    this.size--;
    return true;
  }
}

/** Whether repeating it can be a fault: caches are meant to be read often, and control statements read no data. */
export function isRepeatable({ key, work }: WorkGroup): boolean {
  return key.effect !== 'control' && work !== CACHE && work !== MESSAGING && work !== CONNECTION_POOL;
}
