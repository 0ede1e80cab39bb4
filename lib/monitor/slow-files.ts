import type { Deadline } from '../async/deadline.js';
import { reportFault } from '../async/thrown.js';
import type { DetailedSlowOperation, SlowOperation } from '../explain/slow-operation.js';
import { decodeSlow, encodeSlow } from '../fleet/slow-record.js';
import type { Instance } from '../operation/instance.js';
import type { StatementPlan } from '../plans/statement-plan.js';
import type { ProfileStore } from '../profiling/profile-store.js';
import type { Update } from './describe-slow.js';

/** Written operations that may still get a plan. */
const MAX_AWAITED = 64;

interface SlowFileSources {
  readonly service: string;
  readonly instance: Pick<Instance, 'id'>;
  /** While it is in memory, with all details. */
  slowOperation(id: string): DetailedSlowOperation | undefined;
  /** The fingerprints of the statements that the plan of an operation may be of. */
  plannedStatements(operation: SlowOperation): readonly string[];
  /** The plan of a statement, once it is known. */
  planOf(fingerprint: string): StatementPlan | undefined;
}

/**
 * Writes slow operations to a file beside their profile, so that a link to one can be opened for as long as that exists:
 * longer than it stays in memory, and after a restart. The plan of its statement is often known later: the file is then
 * written once more.
 */
export class SlowFiles {
  private readonly pending = new Set<Promise<void>>();
  /** The statements of written operations without a plan, by their ids, the oldest first. */
  private readonly awaited = new Map<string, readonly string[]>();

  constructor(
    private readonly store: ProfileStore,
    private readonly sources: SlowFileSources,
  ) {}

  /** Writes an operation with a profile once its description is complete. The number of profiles is limited. */
  keepLater(slow: SlowOperation, updates: readonly (Update | undefined)[]): void {
    this.track(this.keep(slow, updates));
  }

  /** Adds a plan that has become known to the operations of its statement. */
  addPlan(fingerprint: string): void {
    const found = [...this.awaited].filter(([, statements]) => statements.includes(fingerprint));
    for (const [id] of found) this.awaited.delete(id);
    if (found.length > 0) this.track(this.rewriteAll(found));
  }

  /** The operation with this id in a file of this service. Never rejects; undefined if there is none that can be read. */
  async find(id: string): Promise<DetailedSlowOperation | undefined> {
    const operation = await this.read(id);
    return operation === undefined ? undefined : this.withPlan(operation);
  }

  /** Waits until all are written. Never rejects. */
  async flush(deadline: Deadline): Promise<void> {
    await deadline.settle(Promise.all(this.pending));
  }

  private async read(id: string): Promise<DetailedSlowOperation | undefined> {
    const stored = await this.store.readOperation(id);
    if (stored === undefined) return undefined;
    const operation = decodeSlow(this.sources.service, id, stored.text)?.operation;
    const isOfProfile = [operation?.profile, operation?.heapSnapshot].includes(stored.profile);
    return isOfProfile ? operation : undefined;
  }

  /** @param statements by default those of the operation itself */
  private withPlan<T extends SlowOperation>(
    operation: T,
    statements = this.sources.plannedStatements(operation),
  ): T {
    if (operation.plan !== undefined) return operation;
    for (const statement of statements) {
      const plan = this.sources.planOf(statement);
      if (plan !== undefined) return { ...operation, plan };
    }
    return operation;
  }

  private track(writing: Promise<void>): void {
    const written = writing.catch(reportUnkept).finally(() => this.pending.delete(written));
    this.pending.add(written);
  }

  private async keep(slow: SlowOperation, updates: readonly (Update | undefined)[]): Promise<void> {
    const settled = await Promise.allSettled(updates);
    // It may have been dropped from memory meanwhile.
    const operation = this.sources.slowOperation(slow.id) ?? completed(slow, settled);
    const statements = operation.plan === undefined ? this.sources.plannedStatements(operation) : [];
    if (!(await this.write(operation)) || statements.length === 0) return;
    // The plan may have become known while the file was written.
    if (statements.some((statement) => this.sources.planOf(statement) !== undefined))
      await this.write(this.withPlan(operation, statements));
    else this.awaitPlan(operation.id, statements);
  }

  private awaitPlan(id: string, statements: readonly string[]): void {
    this.awaited.set(id, statements);
    if (this.awaited.size <= MAX_AWAITED) return;
    for (const oldest of this.awaited.keys()) {
      this.awaited.delete(oldest);
      break;
    }
  }

  /** One at a time: few writes may wait for their turn. */
  private async rewriteAll(
    operations: readonly [id: string, statements: readonly string[]][],
  ): Promise<void> {
    for (const [id, statements] of operations) await this.rewrite(id, statements).catch(reportUnkept);
  }

  /** Its profile, and with it the file, may be gone. */
  private async rewrite(id: string, statements: readonly string[]): Promise<void> {
    const operation = await this.read(id);
    if (operation !== undefined && operation.plan === undefined)
      await this.write(this.withPlan(operation, statements));
  }

  private async write(operation: SlowOperation): Promise<boolean> {
    const { service, instance } = this.sources;
    const profile = operation.profile ?? operation.heapSnapshot;
    const text =
      profile === undefined ? undefined : encodeSlow(service, { instance: instance.id, operation });
    if (profile === undefined || text === undefined) return false;
    return this.store.writeOperation(profile, operation.id, text);
  }
}

const reportUnkept = (error: unknown): void =>
  reportFault('a slow operation is not kept with its profile', error);

function completed(
  slow: SlowOperation,
  updates: readonly PromiseSettledResult<Partial<SlowOperation> | undefined>[],
): SlowOperation {
  const values = updates.map((update) => (update.status === 'fulfilled' ? update.value : undefined));
  return Object.assign({}, slow, ...values) as SlowOperation;
}
