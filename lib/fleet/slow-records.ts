import type { DetailedSlowOperation, SlowOperation } from '../explain/slow-operation.js';
import type { Instance } from '../operation/instance.js';
import { type FleetStore, isRecordId, RECORD_TTL_MS } from './fleet-store.js';
import { MAX_SLOW, type SlowHead } from './instance-summary.js';
import { encodeSlow } from './slow-record.js';
import { slowHead } from './summarize-instance.js';

/** Records that are written with one summary: those of a burst follow with the next ones. */
const MAX_WRITTEN = 5;
/** A record is listed until shortly before it expires, as a summary stands for up to a minute. */
const LISTED_MS = RECORD_TTL_MS - 60_000;

interface Kept {
  /** The latest that was encoded, which is not tried again. */
  readonly operation: SlowOperation;
  /** What is in the store, and when it was written, in milliseconds since 1970; undefined if it could not be encoded. */
  readonly written: { readonly operation: SlowOperation; readonly at: number } | undefined;
}

export interface SlowSources {
  /** The newest first. An update is a new object. */
  slowOperations(limit: number): SlowOperation[];
  slowOperation(id: string): DetailedSlowOperation | undefined;
}

/** Keeps the latest slow operations of this instance in the store, so that other instances can show them. */
export class SlowRecords {
  private readonly kept = new Map<string, Kept>();

  constructor(
    private readonly store: FleetStore,
    private readonly service: string,
    private readonly instance: Pick<Instance, 'id'>,
    private readonly sources: SlowSources,
  ) {}

  /** Those that are in the store, the newest first. @param now milliseconds since 1970 */
  heads(now: number): SlowHead[] {
    return [...this.kept.values()]
      .flatMap(({ written }) =>
        written === undefined || now - written.at >= LISTED_MS ? [] : written.operation,
      )
      .map(slowHead)
      .sort((a, b) => b.timestamp - a.timestamp);
  }

  /** Writes what is new, and removes what is old. @param now milliseconds since 1970 @throws whatever the store throws */
  async write(now: number): Promise<void> {
    const { store, service, instance, sources, kept } = this;
    const current = sources.slowOperations(MAX_SLOW);
    // A burst is written from its newest on, and the rest with the next summaries.
    const changed = current
      .filter((operation) => isRecordId(operation.id) && kept.get(operation.id)?.operation !== operation)
      .slice(0, MAX_WRITTEN);
    for (const operation of changed) {
      const { id } = operation;
      const text = encodeSlow(service, {
        instance: instance.id,
        operation: sources.slowOperation(id) ?? operation,
      });
      if (text !== undefined) await store.keep(id, text);
      // An earlier description remains in the store.
      kept.set(id, {
        operation,
        written: text === undefined ? kept.get(id)?.written : { operation, at: now },
      });
    }
    const ids = new Set(current.map(({ id }) => id));
    for (const [id, { written }] of kept) {
      if (ids.has(id)) continue;
      kept.delete(id);
      if (written !== undefined) await store.drop(id);
    }
  }
}
