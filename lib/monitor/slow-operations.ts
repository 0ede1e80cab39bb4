import { DeferredEmitter } from '../async/deferred-emitter.js';
import { type SlowFilter, slowMatcher } from '../explain/slow-filter.js';
import type { DetailedSlowOperation, SlowOperation } from '../explain/slow-operation.js';
import type { CompletedSpans } from '../spans/completed-spans.js';
import type { OperationLog } from '../spans/operation-log.js';
import { waterfallOf } from '../spans/waterfall.js';

/** The data of a waterfall, which is created when it is requested. */
export interface RecordedSpans {
  readonly completed: CompletedSpans;
  /** When the operation started, on the same clock. */
  readonly startedAt: number;
}

/** What is only shown with a single operation. */
interface Details {
  /** The spans that completed below it, if any. */
  recorded?: RecordedSpans | undefined;
  /** The lines that were logged within it, if any. */
  log?: OperationLog | undefined;
}

interface Kept extends Details {
  /** Never changed: an update replaces it. */
  operation: SlowOperation;
}

/** The lines of all logs together: the oldest operations lose theirs first. */
export const MAX_LOG_LINES = 5000;

/** The kept operations of one type: those of each name, the oldest first. */
interface KeptOfType {
  count: number;
  readonly byName: Map<string, Kept[]>;
}

/**
 * The last slow operations. When there are too many, the oldest execution of the most frequent operation of the most frequent
 * type is dropped, so that each type and route keeps room.
 */
export class SlowOperations {
  /** The oldest first. */
  private readonly kept = new Set<Kept>();
  /** The last of each id: a span can be checked more than once. */
  private readonly byId = new Map<string, Kept>();
  private readonly byType = new Map<string, KeptOfType>();
  /** How many operations, and spans of all waterfalls together, are kept now at most. */
  private maxOperations: number;
  private maxSpans = Number.POSITIVE_INFINITY;
  private maxLogLines = MAX_LOG_LINES;
  private spanCount = 0;
  private lineCount = 0;
  private readonly added: DeferredEmitter<Kept>;
  private readonly updated: DeferredEmitter<SlowOperation>;

  constructor(
    private readonly capacity: number,
    private readonly onError: (error: unknown, listenersOf?: string) => void,
  ) {
    this.maxOperations = capacity;
    this.added = new DeferredEmitter(onError, 'slow operations');
    this.updated = new DeferredEmitter(onError, 'updates of slow operations');
  }

  /** Adds an operation. */
  add(operation: SlowOperation, { recorded, log }: Details = {}): void {
    if (this.kept.size >= this.maxOperations) this.makeRoom();
    const kept: Kept = { operation, recorded, log };
    this.kept.add(kept);
    this.spanCount += spansOf(kept);
    if (this.spanCount > this.maxSpans) this.limitSpans(this.maxSpans);
    this.lineCount += linesOf(kept);
    if (this.lineCount > this.maxLogLines) this.dropLogs();
    this.byId.set(operation.id, kept);
    const ofType = getOrCreate(this.byType, operation.type, newType);
    ofType.count++;
    getOrCreate(ofType.byName, operation.name, newName).push(kept);
    this.added.emit(kept);
  }

  /** Replaces an operation by a better description of it, while it is kept. */
  update(id: string, better: Partial<SlowOperation>): void {
    const kept = this.byId.get(id);
    if (kept === undefined) return;
    kept.operation = { ...kept.operation, ...better };
    this.updated.emit(kept.operation);
  }

  /** The same when each update is known, unless there is none. */
  updateLater(
    id: string,
    updates: readonly (Promise<Partial<SlowOperation> | undefined> | undefined)[],
  ): void {
    for (const update of updates)
      update
        ?.then((better) => {
          if (better !== undefined) this.update(id, better);
        })
        .catch((error: unknown) => this.onError(error));
  }

  /**
   * Calls `listener` with each operation that is added, as it is described in a later turn of the event loop. Returns a function
   * that removes it.
   */
  onAdded(listener: (operation: SlowOperation) => void): () => void {
    return this.added.on(({ operation }) => listener(operation));
  }

  /** The same for each operation whose description was completed. */
  onUpdated(listener: (operation: SlowOperation) => void): () => void {
    return this.updated.on(listener);
  }

  get droppedEvents(): number {
    return this.added.dropped + this.updated.dropped;
  }

  /** The operations that meet the conditions of a filter, or all, the newest first. */
  list(limit = this.capacity, filter: SlowFilter = {}): SlowOperation[] {
    const matches = slowMatcher(filter);
    const result: SlowOperation[] = [];
    for (const { operation } of [...this.kept].reverse()) {
      if (result.length >= limit) break;
      if (matches(operation)) result.push(operation);
    }
    return result;
  }

  /** The operation with this id, if it is kept, with its waterfall and its log. */
  get(id: string): DetailedSlowOperation | undefined {
    const kept = this.byId.get(id);
    if (kept === undefined) return undefined;
    const { operation, recorded, log } = kept;
    if (recorded === undefined) return log === undefined ? operation : { ...operation, log };
    const { name, type, durationMs, error: failed } = operation;
    const { startedAt, completed } = recorded;
    const waterfall = waterfallOf({ name, type, startedAt, durationMs, failed }, completed);
    return { ...operation, waterfall, ...(log === undefined ? {} : { log }) };
  }

  /** The operations that are kept, the spans of their waterfalls, and the lines of their logs. */
  get size(): number {
    return this.kept.size;
  }
  get spans(): number {
    return this.spanCount;
  }
  get logLines(): number {
    return this.lineCount;
  }

  /** Keeps at most so many operations from now on, up to the capacity. */
  limit(operations: number): void {
    this.maxOperations = Math.max(1, Math.min(this.capacity, operations));
    while (this.kept.size > this.maxOperations) this.makeRoom();
  }

  /** Keeps at most so many spans from now on: the oldest operations lose their waterfalls. */
  limitSpans(spans: number): void {
    this.maxSpans = spans;
    for (const kept of this.kept) {
      if (this.spanCount <= spans) return;
      this.spanCount -= spansOf(kept);
      kept.recorded = undefined;
    }
  }

  /** Keeps at most so many lines of logs from now on, up to {@link MAX_LOG_LINES}. */
  limitLogLines(lines: number): void {
    this.maxLogLines = Math.min(MAX_LOG_LINES, lines);
    this.dropLogs();
  }

  clear(): void {
    this.kept.clear();
    this.spanCount = 0;
    this.lineCount = 0;
    this.byId.clear();
    this.byType.clear();
    this.added.dropped = 0;
    this.updated.dropped = 0;
  }

  private dropLogs(): void {
    for (const kept of this.kept) {
      if (this.lineCount <= this.maxLogLines) return;
      this.lineCount -= linesOf(kept);
      kept.log = undefined;
    }
  }

  private makeRoom(): void {
    const [type, ofType] = largest(this.byType, ({ count }) => count);
    const [name, ofName] = largest(ofType.byName, ({ length }) => length);
    const dropped = ofName.shift() as Kept;
    this.kept.delete(dropped);
    this.spanCount -= spansOf(dropped);
    this.lineCount -= linesOf(dropped);
    const { id } = dropped.operation;
    if (this.byId.get(id) === dropped) this.byId.delete(id);
    if (ofName.length === 0) ofType.byName.delete(name);
    ofType.count--;
    if (ofType.count === 0) this.byType.delete(type);
  }

  /** Delivers the waiting events, and removes all listeners. */
  close(): void {
    this.added.close();
    this.updated.close();
  }
}

const linesOf = ({ log }: Kept): number => log?.lines.length ?? 0;
const spansOf = ({ recorded }: Kept): number => recorded?.completed.size ?? 0;
const newType = (): KeptOfType => ({ count: 0, byName: new Map() });
const newName = (): Kept[] => [];

function getOrCreate<V>(map: Map<string, V>, key: string, create: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const value = create();
  map.set(key, value);
  return value;
}

/** The entry with the largest size; of equal ones, the first that was added. The map has entries. */
function largest<V>(map: ReadonlyMap<string, V>, sizeOf: (value: V) => number): [string, V] {
  let found: [string, V] | undefined;
  let size = 0;
  for (const entry of map)
    if (sizeOf(entry[1]) > size) {
      found = entry;
      size = sizeOf(entry[1]);
    }
  return found as [string, V];
}
