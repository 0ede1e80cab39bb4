import { performance } from 'node:perf_hooks';
import { asOwnPause } from '../async/own-pauses.js';
import type { CallSite } from '../code/call-site.js';
import { isBundled } from '../code/own-code.js';
import type { SourceMaps } from '../code/source-maps.js';
import type { SourceTexts } from '../code/source-texts.js';
import type { CodePosition } from '../code/user-code.js';
import type { OperationType } from '../operation/operation.js';
import { CodeNames } from './code-names.js';
import { cut } from './cut-profile.js';
import type { ExecutionLog } from './execution-log.js';
import { functionsIn, type HotFunction, hotCodeOf, hottestLine, nameHotFunctions } from './hot-functions.js';
import {
  type OperationSamples,
  OTHERS,
  OWN,
  type Sampled,
  samplesOf,
  UNCERTAIN,
} from './operation-samples.js';
import { callersIn, namePackageCalls, type PackageCalls, packageCallsOf } from './package-calls.js';
import type { ProfileInfo } from './profile-info.js';
import type { ProfileRing } from './profile-ring.js';
import type { NewProfile } from './profile-store.js';

/** Fewer own samples do not show where an operation's time went. */
const MIN_SAMPLES = 4;
/** The minimum share of an operation that the ring must cover. */
const MIN_COVERED = 0.9;
/** If a larger share of the samples has an uncertain owner, the operation cannot be separated from others. */
const MAX_UNCERTAIN = 0.3;

/** A slow operation whose samples are requested. */
export interface SlowRun {
  readonly type: OperationType;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: Sampled;
}

/** The code that ran during a slow operation. */
export interface CpuAttribution {
  /** Its functions by self time. */
  readonly topFunctions: readonly HotFunction[];
  /** The line with the most samples, if it is in the user's code. */
  readonly hottestLine: CallSite | undefined;
  /** The packages in which most of it ran. */
  readonly packageCalls: readonly PackageCalls[];
  /** Share of the samples with running code that belong to other operations. */
  readonly othersShare: number;
}

/** Finds the samples of slow operations in the ring, and writes profiles of them. */
export class SlowProfiles {
  constructor(
    private readonly ring: ProfileRing,
    private readonly executionLog: ExecutionLog,
    private readonly sources: SourceMaps,
    private readonly texts: SourceTexts,
    private readonly keep: (profile: NewProfile, content: string) => Promise<ProfileInfo | undefined>,
  ) {}

  /** Whether code that runs now is sampled: not while a debugger is attached, for example. */
  get isReady(): boolean {
    return this.ring.isSampling;
  }

  /**
   * Finds the code that ran, a few hundred milliseconds after the operation.
   * @param id of the profile to write; undefined to write none
   * @returns an empty object if there are too few samples, or the ring does not reach back
   */
  async find(run: SlowRun, id: string | undefined): Promise<{ seen?: CpuAttribution; kept?: ProfileInfo }> {
    const { from, to } = run.sampled;
    if (!(await this.ring.settled(to))) return {};
    const windows = this.ring.within(from, to);
    if (windows.length === 0) return {};
    // The ring may not reach back to the start.
    const begun = Math.max(from, windows[0]?.startedAt ?? from);
    const samples = samplesOf(windows, { ...run.sampled, from: begun }, this.executionLog);
    const kept = id === undefined ? undefined : await this.write(run, id, samples);
    // Samples of only the end do not show where an operation's time went.
    const isCovered = to - begun >= MIN_COVERED * (to - from);
    const seen = isCovered ? await this.describe(samples) : undefined;
    return { ...(seen === undefined ? {} : { seen }), ...(kept === undefined ? {} : { kept }) };
  }

  private async describe(samples: OperationSamples): Promise<CpuAttribution | undefined> {
    const own = samples.counts[OWN];
    if (own < MIN_SAMPLES || !isCertain(samples)) return undefined;
    // Only the source map of a bundle shows which code is the user's.
    if (isBundled())
      await CodeNames.prepare(
        samples.windows.flatMap(({ functions }) => functions),
        this.sources,
        this.texts,
      );
    const isUser = (position: CodePosition): boolean => this.sources.isUser(position);
    const hot = hotCodeOf(samples, isUser);
    const calls = packageCallsOf(samples, isUser);
    const functions = [...functionsIn(hot), ...callersIn(calls)];
    const names = await CodeNames.prepare(functions, this.sources, this.texts);
    const others = samples.counts[OTHERS];
    return {
      topFunctions: nameHotFunctions(hot, names),
      hottestLine: hottestLine(hot, names, isUser),
      packageCalls: namePackageCalls(calls, own, names),
      othersShare: others / (own + others),
    };
  }

  private async write(
    { type, name, traceId, spanId }: SlowRun,
    id: string,
    samples: OperationSamples,
  ): Promise<ProfileInfo | undefined> {
    const own = isCertain(samples);
    const part = asOwnPause(() => cut(samples, own));
    const names = await CodeNames.prepare(part.functions, this.sources, this.texts);
    // By the current clock, which may have been set since the process started.
    const startedAt = Date.now() - (performance.now() - samples.from);
    const content = asOwnPause(() => JSON.stringify(part.toProfile(names, startedAt * 1000)));
    return this.keep(
      {
        id,
        type: 'cpu',
        reason: 'slow_operation',
        startedAt: Math.round(startedAt),
        durationMs: Math.round(samples.to - samples.from),
        scope: own ? 'operation' : 'process',
        samples: samples.owner.length,
        operation: { type, name, traceId, spanId },
      },
      content,
    );
  }
}

function isCertain({ counts }: OperationSamples): boolean {
  const busy = counts[OWN] + counts[OTHERS] + counts[UNCERTAIN];
  return busy === 0 || counts[UNCERTAIN] <= MAX_UNCERTAIN * (counts[OWN] + counts[UNCERTAIN]);
}
