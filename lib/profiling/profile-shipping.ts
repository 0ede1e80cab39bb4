import type { HeapProfiler, Profiler } from 'node:inspector';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Deadline } from '../async/deadline.js';
import { FaultLog } from '../async/fault-log.js';
import { reasonOf } from '../async/thrown.js';
import { serviceAttributes } from '../operation/service-options.js';
import { INTERVAL_BYTES } from './allocation-sampling.js';
import { OtlpPush } from './otlp-push.js';
import type { ProfileInfo } from './profile-info.js';
import type { ProfilingSettings } from './profiling-options.js';
import type { PushStatus } from './push-queue.js';
import { PyroscopePush } from './pyroscope.js';

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

/** Converts a CPU profile to a request of OTLP, gzipped. */
async function toOtlp(
  { id, startedAt, durationMs, samples, operation }: ProfileInfo,
  content: string,
  resource: Readonly<Record<string, string>>,
): Promise<Uint8Array<ArrayBuffer>> {
  const { encodeOtlpProfile } = await import('./otlp-profile.js');
  const about =
    operation === undefined
      ? {}
      : {
          link: operation,
          attributes: {
            'performance.operation.type': operation.type,
            'performance.operation.name': operation.name,
          },
        };
  const intervalUs = (durationMs * 1000) / Math.max(1, samples ?? 1);
  const request = encodeOtlpProfile(JSON.parse(content) as Profiler.Profile, {
    ...{ id, startedAt, intervalUs, resource },
    ...about,
  });
  return Uint8Array.from(await promisify(gzip)(request));
}

/** Sends profiles to Pyroscope and by OTLP, where these are configured. */
export class ProfileShipping {
  private readonly pyroscope: PyroscopePush | undefined;
  private readonly otlp: OtlpPush | undefined;
  private readonly resource: Readonly<Record<string, string>>;
  private readonly encodings = new Set<Promise<void>>();
  private readonly faults: FaultLog;

  constructor(settings: ProfilingSettings, warn: (message: string) => void) {
    const { profiling, serviceName, serviceVersion, hostName, enabled } = settings;
    const { pyroscope, otlp } = profiling;
    this.faults = new FaultLog(warn);
    this.resource = serviceAttributes(settings);
    if (enabled && pyroscope.url !== undefined)
      this.pyroscope = new PyroscopePush(pyroscope, { serviceName, serviceVersion, hostName }, warn);
    if (enabled && otlp.url !== undefined) this.otlp = new OtlpPush(otlp, warn);
  }

  /** Whether Pyroscope is configured. */
  get ships(): boolean {
    return this.pyroscope !== undefined;
  }

  /** Of each that is configured. */
  get status(): { readonly pyroscope?: PushStatus; readonly otlp?: PushStatus } {
    const { pyroscope, otlp } = this;
    return {
      ...(pyroscope === undefined ? {} : { pyroscope: pyroscope.status }),
      ...(otlp === undefined ? {} : { otlp: otlp.status }),
    };
  }

  /** Starts to send a stored profile. Never throws. */
  ship(info: ProfileInfo, content: string): void {
    const { pyroscope, otlp, resource } = this;
    const { type, startedAt, durationMs } = info;
    if (type === 'heap_snapshot') return;
    if (pyroscope !== undefined)
      this.encode(type, async () =>
        pyroscope.push(await toPprof(info, content), { type, startedAt, endedAt: startedAt + durationMs }),
      );
    if (otlp !== undefined && type === 'cpu')
      this.encode('otlp', async () => otlp.push(await toOtlp(info, content, resource)));
  }

  /** Waits until all profiles are sent, and drops the rest at the deadline. Never rejects. */
  async flush(deadline: Deadline): Promise<void> {
    await deadline.settle(Promise.all(this.encodings));
    const { remainingMs } = deadline;
    await Promise.all([this.pyroscope?.flush(remainingMs), this.otlp?.flush(remainingMs)]);
  }

  private encode(what: string, work: () => Promise<void>): void {
    const encoding = work()
      .then(() => this.faults.succeed(what))
      .catch((error: unknown) => this.faults.fail(what, `A profile could not be sent: ${reasonOf(error)}`))
      .finally(() => this.encodings.delete(encoding));
    this.encodings.add(encoding);
  }
}
