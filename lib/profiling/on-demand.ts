import { performance } from 'node:perf_hooks';
import { asOwnPause } from '../async/own-pauses.js';
import type { SourceMaps } from '../code/source-maps.js';
import type { SourceTexts } from '../code/source-texts.js';
import { AllocationSampling } from './allocation-sampling.js';
import { CodeNames } from './code-names.js';
import { CpuCapture } from './cpu-capture.js';
import { cut } from './cut-profile.js';
import { ExecutionLog } from './execution-log.js';
import { HeapSnapshots } from './heap-snapshots.js';
import { samplesOf } from './operation-samples.js';
import {
  CaptureRefusedError,
  MAX_CAPTURE_SECONDS,
  type ProfileInfo,
  type ProfileReason,
} from './profile-info.js';
import type { NewProfile, ProfileContent, ProfileStore } from './profile-store.js';
import type { ResolvedProfilingOptions } from './profiling-options.js';

/** Options of a capture. */
export interface CaptureOptions {
  /** 1 to 300; 10 by default. */
  seconds?: number | undefined;
  /** Aborts the capture: nothing is kept, and the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

const DEFAULT_SECONDS = 10;

/** Captures on request, one of each type at a time. */
export class OnDemand {
  readonly heap: HeapSnapshots;
  private readonly cpu = new CpuCapture();
  private readonly allocations: AllocationSampling;
  private readonly running = new Set<Promise<unknown>>();

  constructor(
    options: ResolvedProfilingOptions,
    private readonly sources: SourceMaps,
    private readonly texts: SourceTexts,
    private readonly store: ProfileStore,
    private readonly keep: (
      profile: NewProfile,
      content: ProfileContent,
      signal?: AbortSignal,
    ) => Promise<ProfileInfo | undefined>,
  ) {
    const { maxHeapSnapshotsPerHour, cooldownSeconds } = options;
    this.heap = new HeapSnapshots(store, {
      maxPerHour: maxHeapSnapshotsPerHour,
      cooldownMs: cooldownSeconds * 1000,
    });
    this.allocations = new AllocationSampling({
      newId: () => store.newId(),
      write: (profile, content, signal) => keep(profile, content, signal),
      get failure() {
        return store.failure;
      },
    });
  }

  /**
   * Samples the CPU for some seconds.
   * @throws {@link CaptureRefusedError} with the reason: another capture is running, the process cannot be profiled, or
   * the file could not be written
   * @throws RangeError for invalid `seconds`
   */
  async captureCpu({ seconds = DEFAULT_SECONDS, signal }: CaptureOptions = {}): Promise<ProfileInfo> {
    checkSeconds(seconds);
    return this.run(this.sampleCpu(seconds, signal));
  }

  /** Samples allocations that are still alive after some seconds. Throws as {@link captureCpu}. */
  async captureAllocations({
    seconds = DEFAULT_SECONDS,
    signal,
    reason = 'on_demand',
  }: CaptureOptions & { reason?: ProfileReason } = {}): Promise<ProfileInfo> {
    checkSeconds(seconds);
    return this.run(this.allocations.capture({ id: this.store.newId(), reason, seconds, signal }));
  }

  /**
   * Captures every object of the heap. Blocks the process for 5 to 15 seconds per 100 MB. Throws as {@link captureCpu}.
   */
  async captureHeapSnapshot({ signal }: Pick<CaptureOptions, 'signal'> = {}): Promise<ProfileInfo> {
    return this.run(this.heap.capture({ id: this.store.newId(), reason: 'on_demand', signal }));
  }

  /** Ends running captures early, with what they have. */
  finishNow(): void {
    this.cpu.finishNow();
    this.allocations.finishNow();
  }

  /** Resolves when all captures have been passed to the store or have failed. Never rejects. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.running);
  }

  private run(capture: Promise<ProfileInfo>): Promise<ProfileInfo> {
    const over = (): boolean => this.running.delete(capture);
    this.running.add(capture);
    capture.then(over, over);
    return capture;
  }

  private async sampleCpu(seconds: number, signal: AbortSignal | undefined): Promise<ProfileInfo> {
    const window = await this.cpu.capture(seconds, signal);
    const { startedAt, endedAt } = window;
    const everything = { from: startedAt, to: endedAt, number: 0, alone: true, whole: true };
    const { samples, part } = asOwnPause(() => {
      const samples = samplesOf([window], everything, new ExecutionLog());
      return { samples, part: cut(samples, false) };
    });
    const names = await CodeNames.prepare(part.functions, this.sources, this.texts);
    const begun = Date.now() - (performance.now() - startedAt);
    const profile: NewProfile = {
      id: this.store.newId(),
      type: 'cpu',
      reason: 'on_demand',
      startedAt: Math.round(begun),
      durationMs: Math.round(endedAt - startedAt),
      scope: 'process',
      samples: samples.owner.length,
    };
    const content = asOwnPause(() => JSON.stringify(part.toProfile(names, begun * 1000)));
    const kept = await this.keep(profile, content, signal);
    if (kept !== undefined) return kept;
    throw new CaptureRefusedError(`The profile could not be stored: ${this.store.failure ?? 'see the log'}`);
  }
}

function checkSeconds(seconds: unknown): void {
  if (typeof seconds === 'number' && seconds >= 1 && seconds <= MAX_CAPTURE_SECONDS) return;
  throw new RangeError(
    `Invalid seconds: received ${String(seconds)}, expected a number from 1 to ${MAX_CAPTURE_SECONDS}`,
  );
}
