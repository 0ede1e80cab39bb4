import type { DetailedSlowOperation, SlowOperation } from '../explain/slow-operation.js';
import { type FleetStore, isRecordId } from './fleet-store.js';
import { MAX_SLOW, type SlowHead } from './instance-summary.js';
import { encodeSlow } from './slow-record.js';
import { slowHead } from './summarize-instance.js';

/** Records that are written with one summary: those of a burst follow with the next ones. */
const MAX_WRITTEN = 5;

export interface SlowSources {
  /** The newest first. An update is a new object. */
  slowOperations(limit: number): SlowOperation[];
  slowOperation(id: string): DetailedSlowOperation | undefined;
}

/** Keeps the latest slow operations of this instance in the store, so that other instances can show them. */
export class SlowRecords {
  /** What is in the store. */
  private readonly kept = new Map<string, SlowOperation>();

  constructor(
    private readonly store: FleetStore,
    private readonly service: string,
    private readonly instance: string,
    private readonly sources: SlowSources,
  ) {}

  /** Those that are in the store, the newest first. */
  heads(): SlowHead[] {
    return [...this.kept.values()].map(slowHead).sort((a, b) => b.timestamp - a.timestamp);
  }

  /** Writes what is new, and removes what is old. @throws whatever the store throws */
  async write(): Promise<void> {
    const { store, service, instance, sources, kept } = this;
    const current = sources.slowOperations(MAX_SLOW);
    // A burst is written from its newest on, and the rest with the next summaries.
    const changed = current
      .filter((operation) => isRecordId(operation.id) && kept.get(operation.id) !== operation)
      .slice(0, MAX_WRITTEN);
    for (const operation of changed) {
      const { id } = operation;
      const text = encodeSlow(service, { instance, operation: sources.slowOperation(id) ?? operation });
      if (text === undefined) continue;
      await store.keep(id, text);
      kept.set(id, operation);
    }
    const ids = new Set(current.map(({ id }) => id));
    for (const id of kept.keys()) {
      if (ids.has(id)) continue;
      kept.delete(id);
      await store.drop(id);
    }
  }
}
