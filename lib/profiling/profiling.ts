import { diag, type Span } from '@opentelemetry/api';
import { Deadline, SHUTDOWN_MS } from '../async/deadline.js';
import { reportFault } from '../async/thrown.js';
import type { SourceMaps } from '../code/source-maps.js';
import { SourceTexts } from '../code/source-texts.js';
import { applicationLoaders } from '../process/application-package.js';
import { CaptureQuota } from './capture-quota.js';
import { InspectorSampler } from './inspector-sampler.js';
import { OnDemand } from './on-demand.js';
import { processProfiler } from './process-profiler.js';
import { CaptureRefusedError, type ProfileInfo, type ProfileType } from './profile-info.js';
import type { ProfileRingStatus } from './profile-ring.js';
import { ProfileShipping } from './profile-shipping.js';
import { type NewProfile, type ProfileContent, ProfileStore } from './profile-store.js';
import type { ProfilingSettings, ResolvedProfilingOptions } from './profiling-options.js';
import type { PushStatus } from './push-queue.js';
import type { Sampler } from './sample-window.js';
import { type CpuAttribution, SlowProfiles, type SlowRun } from './slow-profiles.js';

/** Status of profiling. */
export interface ProfilingStatus extends ProfileRingStatus {
  /** The directory of profiles. */
  directory: string;
  /** Why the last profile could not be written; undefined if it was. */
  failure?: string;
  /** Slow operations that were not captured because of the cooldown or the limit per minute. */
  skipped: number;
  /** Why the last heap snapshot after a slow operation was refused; undefined if it was not. */
  snapshotRefused?: string;
  /** Profiles sent to Pyroscope; undefined if it is not configured. */
  pyroscope?: PushStatus;
  /** Profiles sent by OTLP; undefined if it is not configured. */
  otlp?: PushStatus;
}

/** A profile that is being written. */
export interface CapturedFile {
  readonly type: ProfileType;
  readonly id: string;
  readonly path: string;
  /** Whether it is also sent to Pyroscope. */
  readonly sent: boolean;
}

/** The capture of a slow operation. Files exist a few hundred milliseconds after it ended. */
export interface SlowCapture {
  readonly files: readonly CapturedFile[];
  /** The functions that ran, and the profile if it was stored. Never rejects. */
  readonly found: Promise<{ readonly seen?: CpuAttribution; readonly kept?: ProfileInfo }>;
  /** The heap snapshot, if one was taken and stored. Never rejects. */
  readonly snapped: Promise<{ readonly kept?: ProfileInfo }>;
}

const MB = 1024 * 1024;
/** Operations with less busy time are not analyzed. */
const MIN_BUSY_MS = 20;

/**
 * Captures profiles for one monitor: of slow operations, on demand, and under memory pressure; stores and sends them.
 */
export class Profiling {
  readonly store: ProfileStore;
  readonly onDemand: OnDemand;
  /** Receives warnings; replaced by an owner that has a logger. */
  warn: (message: string) => void = (message) => diag.warn(`nestjs-performance: ${message}`);
  /** The options that do not apply, because another module of the process profiles it already. */
  refused: readonly string[] = [];
  private readonly quota: CaptureQuota;
  private readonly texts = new SourceTexts();
  private readonly shipping: ProfileShipping;
  private readonly options: ResolvedProfilingOptions;
  private readonly keepsSlow: boolean;
  private slow: SlowProfiles | undefined;
  private snapshotRefused: string | undefined;
  private failure: string | undefined;
  private starting: Promise<void> | undefined;
  private stopped = false;
  private readonly pending = new Set<Promise<unknown>>();

  constructor(
    private readonly resolved: ProfilingSettings,
    private readonly sources: SourceMaps,
    private readonly numberOf: (span: Span | undefined) => number,
  ) {
    const { profiling } = resolved;
    this.options = profiling;
    this.keepsSlow = resolved.profileSlowOperations;
    this.quota = new CaptureQuota(profiling.cooldownSeconds * 1000, profiling.maxPerMinute);
    this.store = new ProfileStore(
      {
        directory: profiling.directory,
        maxBytes: profiling.maxDirectoryMb * MB,
        maxFiles: profiling.maxProfiles,
        maxAgeMs: profiling.maxAgeHours * 3_600_000,
      },
      (message) => this.warn(message),
    );
    this.shipping = new ProfileShipping(resolved, (message) => this.warn(message));
    this.onDemand = new OnDemand(profiling, sources, this.texts, this.store, (profile, content, signal) =>
      this.keep(profile, content, signal),
    );
  }

  /** Starts sampling, if it is enabled. Never rejects. */
  start(): Promise<void> {
    if (!this.resolved.enabled || !this.resolved.enableProfiling || this.stopped) return Promise.resolve();
    this.starting ??= this.begin().catch((error: unknown) => {
      this.failure = error instanceof Error ? error.message : String(error);
    });
    return this.starting;
  }

  /**
   * Starts the capture of a slow operation that ends. Decides synchronously; the rest follows later.
   * @param key its type and name
   * @param busyMs busy time of the event loop during the operation
   * @returns undefined if nothing is captured
   */
  slowOperation(run: SlowRun, key: string, busyMs: number): SlowCapture | undefined {
    if (this.stopped) return undefined;
    // The attributes of an ended span cannot be changed, so it must not name a profile that will not exist.
    const slow = this.slow?.isReady ? this.slow : undefined;
    const keeps = this.keepsSlow && slow !== undefined && this.quota.take(key, Date.now());
    const snaps = this.keepsSlow && this.slow !== undefined && this.options.heapSnapshots;
    const snapshot = snaps ? this.snapshot(run, key) : undefined;
    const id = keeps ? this.store.newId() : undefined;
    if (id === undefined && snapshot === undefined && (slow === undefined || busyMs < MIN_BUSY_MS))
      return undefined;
    const found = slow === undefined ? Promise.resolve({}) : this.settle(slow.find(run, id));
    const files = snapshot === undefined ? [] : [snapshot.file];
    if (id !== undefined)
      files.unshift({ type: 'cpu', id, path: this.store.pathOf(id, 'cpu'), sent: this.shipping.ships });
    return { files, found, snapped: snapshot?.snapped ?? Promise.resolve({}) };
  }

  /** Samples allocations for a minute, when memory is short or leaks. */
  captureAllocationsOnMemoryPressure(): void {
    if (this.slow === undefined || this.stopped) return;
    void this.settle(this.onDemand.captureAllocations({ seconds: 60, reason: 'memory' }).then(() => ({})));
  }

  /** Pauses the samples of the recent past for a reason, or resumes them. */
  hold(reason: string | undefined): void {
    if (this.slow !== undefined) processProfiler.ring?.hold(reason);
  }

  /** Keeps up to so many bytes of samples from now on, at most those of the options. */
  limit(bytes: number): void {
    if (this.slow !== undefined) processProfiler.ring?.limit(bytes);
  }

  get status(): ProfilingStatus {
    const off = { state: 'off', windows: 0, seconds: 0, bytes: 0 } as const;
    const ring = this.slow === undefined ? undefined : processProfiler.ring?.status;
    const reason = this.failure ?? (this.resolved.enableProfiling ? 'not started' : 'disabled');
    const { snapshotRefused } = this;
    const { failure } = this.store;
    return {
      ...(ring ?? { ...off, reason }),
      directory: this.options.directory,
      ...(failure === undefined ? {} : { failure }),
      skipped: this.quota.skipped,
      ...(snapshotRefused === undefined ? {} : { snapshotRefused }),
      ...this.shipping.status,
    };
  }

  /** Ends running captures early, and waits until they are written. Never rejects. */
  async finish(deadline: Deadline): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    await deadline.settle(this.starting ?? Promise.resolve());
    this.onDemand.finishNow();
    if (this.slow !== undefined) processProfiler.ring?.settleNow();
    await deadline.settle(this.written());
    // Other modules of the process may go on with the same ring.
    this.hold(undefined);
    this.limit(Number.POSITIVE_INFINITY);
    if (this.slow !== undefined) processProfiler.release();
    this.slow = undefined;
  }

  /** As {@link finish}, and waits until the profiles are sent. */
  async shutdown(deadline = new Deadline(SHUTDOWN_MS)): Promise<void> {
    await this.finish(deadline);
    await this.shipping.flush(deadline);
  }

  private async written(): Promise<void> {
    await Promise.all([...this.pending, this.onDemand.settled()]);
    await this.store.flush();
  }

  private async begin(): Promise<void> {
    const { intervalMs, keepSeconds, maxMemoryMb } = this.options;
    const sampler = await this.sampler();
    if (this.stopped) return;
    const limits = { intervalMs, keepMs: keepSeconds * 1000, maxBytes: maxMemoryMb * MB };
    const { ring, executionLog, refused } = processProfiler.acquire(limits, sampler, this.numberOf);
    this.refused = refused;
    this.slow = new SlowProfiles(ring, executionLog, this.sources, this.texts, (profile, content) =>
      this.keep(profile, content),
    );
    const { state, reason } = ring.status;
    if (state !== 'on') this.warn(`CPU profiling is off: ${reason}`);
  }

  private async sampler(): Promise<Sampler> {
    const { sampler: wanted, intervalMs } = this.options;
    if (wanted !== 'inspector') {
      const { loadDatadogSampler } = await import('./datadog-sampler.js');
      const { sampler, reason } = await loadDatadogSampler(intervalMs, applicationLoaders);
      if (sampler !== undefined) return sampler;
      if (wanted === 'datadog')
        this.warn(`profiling.sampler is datadog, but ${reason}. Node's inspector is used instead.`);
    }
    return new InspectorSampler(intervalMs);
  }

  private snapshot(
    run: SlowRun,
    operationKey: string,
  ): { file: CapturedFile; snapped: SlowCapture['snapped'] } | undefined {
    const { heap } = this.onDemand;
    this.snapshotRefused = heap.refusal(operationKey);
    if (this.snapshotRefused !== undefined) return undefined;
    const { type, name, traceId, spanId } = run;
    const id = this.store.newId();
    const operation = { type, name, traceId, spanId };
    const capture = heap.capture({ id, reason: 'slow_operation', operation, operationKey });
    const path = this.store.pathOf(id, 'heap_snapshot');
    return {
      file: { type: 'heap_snapshot', id, path, sent: false },
      snapped: this.settle(capture.then((kept) => ({ kept }))),
    };
  }

  private async keep(
    profile: NewProfile,
    content: ProfileContent,
    signal?: AbortSignal,
  ): Promise<ProfileInfo | undefined> {
    const kept = await this.store.write(profile, content, signal);
    if (kept !== undefined && typeof content === 'string') this.shipping.ship(kept, content);
    return kept;
  }

  /** A failure must not reach the application. */
  private settle<T extends object>(work: Promise<T>): Promise<Partial<T>> {
    const settled: Promise<Partial<T>> = work
      .catch((error: unknown) => {
        if (!(error instanceof CaptureRefusedError)) reportFault('a capture failed', error);
        return {};
      })
      .finally(() => this.pending.delete(settled));
    this.pending.add(settled);
    return settled;
  }
}
