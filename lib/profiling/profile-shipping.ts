import type { HeapProfiler, Profiler } from 'node:inspector';
import type { Deadline } from '../async/deadline.js';
import { FaultLog } from '../async/fault-log.js';
import { reasonOf } from '../async/thrown.js';
import { INTERVAL_BYTES } from './allocation-sampling.js';
import type { ProfileInfo } from './profile-info.js';
import type { ProfilingSettings } from './profiling-options.js';
import { type PushStatus, PyroscopePush } from './pyroscope.js';

/** Converts a profile to pprof. Heap snapshots cannot be converted. */
export async function toPprof(info: Omit<ProfileInfo, 'path'>, content: string): Promise<Uint8Array> {
  const { encodeAllocationsPprof, encodeCpuPprof } = await import('./pprof.js');
  const profile: unknown = JSON.parse(content);
  const { startedAt, durationMs, operation } = info;
  // Pyroscope and Grafana find the profile of a span by these labels.
  const labels: Record<string, string> =
    operation === undefined ? {} : { span_id: operation.spanId, span_name: operation.name };
  if (info.type === 'allocations')
    return encodeAllocationsPprof(profile as HeapProfiler.SamplingHeapProfile, {
      startedAt,
      durationMs,
      intervalBytes: INTERVAL_BYTES,
      labels,
    });
  const intervalUs = (durationMs * 1000) / Math.max(1, info.samples ?? 1);
  return encodeCpuPprof(profile as Profiler.Profile, { startedAt, intervalUs, labels });
}

/** Sends profiles to Pyroscope, if it is configured. */
export class ProfileShipping {
  private readonly target: PyroscopePush | undefined;
  private readonly encodings = new Set<Promise<void>>();
  private readonly faults: FaultLog;

  constructor(
    { profiling: { pyroscope }, serviceName, serviceVersion, hostName, enabled }: ProfilingSettings,
    warn: (message: string) => void,
  ) {
    this.faults = new FaultLog(warn);
    if (enabled && pyroscope.url !== undefined)
      this.target = new PyroscopePush(pyroscope, { serviceName, serviceVersion, hostName }, warn);
  }

  /** Whether Pyroscope is configured. */
  get ships(): boolean {
    return this.target !== undefined;
  }

  get status(): PushStatus | undefined {
    return this.target?.status;
  }

  /** Starts to send a stored profile. Never throws. */
  ship(info: ProfileInfo, content: string): void {
    const { target } = this;
    const { type, startedAt, durationMs } = info;
    if (target === undefined || type === 'heap_snapshot') return;
    const encoding = toPprof(info, content)
      .then((pprof) => {
        this.faults.succeed(type);
        target.push(pprof, { type, startedAt, endedAt: startedAt + durationMs });
      })
      .catch((error: unknown) => this.faults.fail(type, `A profile could not be sent: ${reasonOf(error)}`))
      .finally(() => this.encodings.delete(encoding));
    this.encodings.add(encoding);
  }

  /** Waits until all profiles are sent, and drops the rest at the deadline. Never rejects. */
  async flush(deadline: Deadline): Promise<void> {
    await deadline.settle(Promise.all(this.encodings));
    await this.target?.flush(deadline.remainingMs);
  }
}
