import type { Deadline } from '../async/deadline.js';
import { reportFault } from '../async/thrown.js';
import type { DetailedSlowOperation, SlowOperation } from '../explain/slow-operation.js';
import { decodeSlow, encodeSlow } from '../fleet/slow-record.js';
import type { Instance } from '../operation/instance.js';
import type { ProfileStore } from '../profiling/profile-store.js';

type Update = Promise<Partial<SlowOperation>> | undefined;

interface SlowFileSources {
  readonly service: string;
  readonly instance: Pick<Instance, 'id'>;
  /** While it is in memory, with all details. */
  slowOperation(id: string): DetailedSlowOperation | undefined;
}

/**
 * Writes slow operations to a file beside their profile, so that a link to one can be opened for as long as that exists:
 * longer than it stays in memory, and after a restart.
 */
export class SlowFiles {
  private readonly pending = new Set<Promise<void>>();

  constructor(
    private readonly store: ProfileStore,
    private readonly sources: SlowFileSources,
  ) {}

  /** Writes an operation with a profile once its description is complete. The number of profiles is limited. */
  keepLater(slow: SlowOperation, updates: readonly Update[]): void {
    const written = this.keep(slow, updates)
      .catch((error: unknown) => reportFault('a slow operation is not kept with its profile', error))
      .finally(() => this.pending.delete(written));
    this.pending.add(written);
  }

  /** The operation with this id in a file of this service. Never rejects; undefined if there is none that can be read. */
  async find(id: string): Promise<DetailedSlowOperation | undefined> {
    const stored = await this.store.readOperation(id);
    if (stored === undefined) return undefined;
    const operation = decodeSlow(this.sources.service, id, stored.text)?.operation;
    const isOfProfile = [operation?.profile, operation?.heapSnapshot].includes(stored.profile);
    return isOfProfile ? operation : undefined;
  }

  /** Waits until all are written. Never rejects. */
  async flush(deadline: Deadline): Promise<void> {
    await deadline.settle(Promise.all(this.pending));
  }

  private async keep(slow: SlowOperation, updates: readonly Update[]): Promise<void> {
    const settled = await Promise.allSettled(updates);
    const { service, instance } = this.sources;
    // It may have been dropped from memory meanwhile.
    const operation = this.sources.slowOperation(slow.id) ?? completed(slow, settled);
    const profile = operation.profile ?? operation.heapSnapshot;
    const text =
      profile === undefined ? undefined : encodeSlow(service, { instance: instance.id, operation });
    if (profile !== undefined && text !== undefined)
      await this.store.writeOperation(profile, operation.id, text);
  }
}

function completed(
  slow: SlowOperation,
  updates: readonly PromiseSettledResult<Partial<SlowOperation> | undefined>[],
): SlowOperation {
  const values = updates.map((update) => (update.status === 'fulfilled' ? update.value : undefined));
  return Object.assign({}, slow, ...values) as SlowOperation;
}
