import { performance } from 'node:perf_hooks';
// Not the global ones, which a test of the application may have replaced.
import { clearInterval, clearTimeout, setInterval, setTimeout } from 'node:timers';
import { context } from '@opentelemetry/api';
import { AnswerLimit } from '../async/answer-limit.js';
import { runCooperatively } from '../async/cooperative.js';
import type { Deadline } from '../async/deadline.js';
import { FaultLog } from '../async/fault-log.js';
import { reasonOf } from '../async/thrown.js';
import { UNTRACED } from '../async/untraced.js';
import { isProfileId } from '../profiling/profile-names.js';
import { buildingView } from './build-fleet-view.js';
import { DirectoryFleetStore } from './directory-fleet-store.js';
import type { ResolvedFleetOptions } from './fleet-options.js';
import { FleetReader, type ReadFleet } from './fleet-reader.js';
import { type FleetStore, isRecordId } from './fleet-store.js';
import type { FleetView } from './fleet-view.js';
import type { InstanceSummary } from './instance-summary.js';
import { KeyvFleetStore } from './keyv-fleet-store.js';
import { decodeProfile, type ProfileRecord } from './profile-record.js';
import { ProfileRecords, type ProfileSources } from './profile-records.js';
import { SharedAlerts } from './shared-alerts.js';
import { decodeSlow, type SlowRecord } from './slow-record.js';
import { SlowRecords, type SlowSources } from './slow-records.js';
import { type SummarySources, summarizing } from './summarize-instance.js';
import { encodingSummary } from './summary-format.js';

/** The first summary is published soon, so that a page that is opened at once shows all instances. */
const FIRST_MS = 1000;
/** An answer of the store is waited for that long by a reader, who is shown this instance otherwise. */
const READ_MS = 2000;
const WRITE_MS = 30_000;
const MAX_UNANSWERED = 3;
/** A view is shared by everyone who looks within this time. */
const VIEW_MS = 2000;

const NOTHING: ReadFleet = { summaries: [], sightings: new Map(), omitted: 0, ignored: 0 };

/**
 * Publishes a summary of this instance every few seconds, and shows it beside those of the other instances of its service.
 * Others are read only while somebody looks.
 */
export class Fleet {
  /** Logs that the store fails. Set by the module. */
  warn: ((message: string) => void) | undefined;
  /** The alerts that instances share; undefined if each notifies of its own. */
  readonly alerts: SharedAlerts | undefined;
  private readonly store: FleetStore | undefined;
  private readonly reader: FleetReader | undefined;
  private readonly slow: SlowRecords | undefined;
  private readonly profiles: ProfileRecords | undefined;
  private readonly faults = new FaultLog((message) => this.warned(message));
  private readonly writing = new AnswerLimit(WRITE_MS, 1, () =>
    this.faults.fail('publish', `The store of instances did not answer within ${WRITE_MS / 1000} s`),
  );
  private readonly reading = new AnswerLimit(READ_MS, MAX_UNANSWERED, () => {});
  private timers: NodeJS.Timeout[] = [];
  /** Why this instance could not publish. */
  private problem: string | undefined;
  private publishing: Promise<void> | undefined;
  private hasPublished = false;
  /** Set once it shuts down, after which nothing is published. */
  private isOver = false;
  private sequence = 0;
  private latest: { readonly at: number; readonly view: Promise<FleetView> } | undefined;

  constructor(
    private readonly options: ResolvedFleetOptions,
    private readonly sources: SummarySources & SlowSources & ProfileSources,
    private readonly onError: (error: unknown) => void,
  ) {
    const { enabled, directory, store } = options;
    const { service, instance } = sources;
    if (!enabled) return;
    this.store =
      store === undefined ? new DirectoryFleetStore(directory, service) : new KeyvFleetStore(store, service);
    this.reader = new FleetReader(this.store, service, instance);
    this.slow = new SlowRecords(this.store, service, instance, sources);
    const { profiles } = this.store;
    if (profiles !== undefined) this.profiles = new ProfileRecords(profiles, service, instance, sources);
    if (options.alerts) this.alerts = new SharedAlerts(this.store, instance, options.publishSeconds * 1000);
  }

  /** Starts to publish, on timers that do not keep the process alive. */
  start(): void {
    if (this.store === undefined || this.isOver || this.timers.length > 0) return;
    // Bound once: Jest takes the API's global away from an application that a test has left open.
    const publish = context.bind(UNTRACED, (): void => {
      void this.alerts?.beat();
      void this.publish();
    });
    this.timers = [
      setTimeout(publish, FIRST_MS).unref(),
      setInterval(publish, this.options.publishSeconds * 1000).unref(),
    ];
  }

  /** Publishes now, unless the previous summary is still being written. Never rejects. */
  publish(): Promise<void> {
    this.publishing ??= this.publishNow().finally(() => {
      this.publishing = undefined;
    });
    return this.publishing;
  }

  /** All instances. A view is shared for two seconds. Rejects only for a fault of this package. */
  view(): Promise<FleetView> {
    const at = performance.now();
    if (this.latest === undefined || at - this.latest.at > VIEW_MS) {
      const view = context.with(UNTRACED, () => this.buildView());
      this.latest = { at, view };
      view.catch(() => {
        this.latest = undefined;
      });
    }
    return this.latest.view;
  }

  /** A slow operation that another instance has put into the store. Never rejects; undefined if there is none. */
  async slowOperation(id: string): Promise<SlowRecord | undefined> {
    const { store, reading } = this;
    if (store === undefined || !isRecordId(id)) return undefined;
    try {
      const text = await reading.answerOf(() => context.with(UNTRACED, () => store.find(id)));
      return decodeSlow(this.sources.service, id, text);
    } catch {
      // The page says that the operation is not there; the store's failure is reported by the view.
      return undefined;
    }
  }

  /**
   * The profile of a slow operation that another instance has put into the store. Never rejects; undefined if there is none.
   */
  async profile(id: string): Promise<ProfileRecord | undefined> {
    const profiles = this.store?.profiles;
    if (profiles === undefined || !isProfileId(id)) return undefined;
    try {
      const text = await this.reading.answerOf(() => context.with(UNTRACED, () => profiles.find(id)));
      return await decodeProfile(this.sources.service, id, text);
    } catch {
      return undefined;
    }
  }

  /** Removes the summary of this instance, until the deadline. Never rejects. */
  async shutdown(deadline: Deadline): Promise<void> {
    for (const timer of this.timers) {
      clearInterval(timer);
      clearTimeout(timer);
    }
    this.timers = [];
    this.isOver = true;
    const { store } = this;
    if (store === undefined) return;
    const { key } = this.sources.instance;
    const withdraw = async (): Promise<void> => {
      // The first summary may be on its way.
      await this.publishing;
      if (this.hasPublished) await store.withdraw(key);
      await this.alerts?.withdraw();
    };
    // A store may never answer. An instance that remains listed is shown as lost, and then dropped.
    await deadline.settle(context.with(UNTRACED, withdraw));
  }

  /** Of a temporary directory that nobody has asked for, only a view says what is wrong. The log of the application may throw. */
  private warned(message: string): void {
    this.problem = message;
    if (!this.options.isChosen) return;
    try {
      this.warn?.(message);
    } catch (error) {
      this.onError(error);
    }
  }

  private async publishNow(): Promise<void> {
    const { store, slow, faults } = this;
    if (store === undefined || slow === undefined || this.isOver) return;
    try {
      const published = this.writing.answerOf(async () => {
        // First, so that what a summary lists can be opened.
        await slow.write(Date.now());
        await this.profiles?.write();
        const summary = await this.summarize();
        const text = await runCooperatively(encodingSummary(summary));
        if (this.isOver) return false;
        this.hasPublished = true;
        await store.publish(summary.key, text);
        return true;
      });
      if ((await published) !== true) return;
      faults.succeed('publish');
      this.problem = undefined;
    } catch (error) {
      faults.fail(
        'publish',
        `Other instances do not see this one, as its summary could not be published: ${reasonOf(error)}`,
      );
    }
  }

  private summarize(): Promise<InstanceSummary> {
    const { publishSeconds } = this.options;
    const publishedAt = Date.now();
    const publication = {
      publishedAt,
      sequence: ++this.sequence,
      intervalMs: publishSeconds * 1000,
      slow: this.slow?.heads(publishedAt) ?? [],
    };
    return runCooperatively(summarizing(this.sources, publication, performance.now()));
  }

  private async buildView(): Promise<FleetView> {
    const own = await this.summarize();
    const { read, problem = this.problem } = await this.readOthers();
    const kind = this.store === undefined ? 'off' : this.options.store === undefined ? 'directory' : 'shared';
    const store = { kind, ...(problem === undefined ? {} : { problem }) } as const;
    const parts = { ...read, summaries: [own, ...read.summaries], store };
    return runCooperatively(buildingView(own, parts, Date.now()));
  }

  private async readOthers(): Promise<{ read: ReadFleet; problem?: string }> {
    const { reader } = this;
    if (reader === undefined) return { read: NOTHING };
    try {
      const decoding = await this.reading.answerOf(() => reader.read());
      if (decoding === undefined) return { read: NOTHING, problem: `no answer within ${READ_MS / 1000} s` };
      return { read: await runCooperatively(decoding) };
    } catch (error) {
      return { read: NOTHING, problem: reasonOf(error) };
    }
  }
}
