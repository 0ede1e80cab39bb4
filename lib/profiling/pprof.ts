import type { HeapProfiler, Profiler } from 'node:inspector';
import { arrayAt, CheckedNodes, numberAt, objectAt } from './checked-profile.js';
import { readCpuProfile } from './cpu-times.js';
import { type PprofLabels, PprofWriter } from './pprof-writer.js';

/** V8's default: the average number of bytes between two samples. */
const ALLOCATION_INTERVAL = 32_768;

/**
 * A CPU profile as gzipped pprof, the format of `go tool pprof` and Pyroscope
 * (https://github.com/google/pprof/blob/main/proto/profile.proto), with `samples` and `cpu` nanoseconds by self time,
 * one sample per call path. A sample of V8's lasts until the next one. `(idle)` is omitted; `(program)` and `(garbage
 * collector)` are functions without a file.
 * @param options `startedAt` in milliseconds since 1970; `intervalUs` is the requested interval in microseconds
 * @throws TypeError for a malformed profile: names the field, what was received, and what is expected
 */
export async function encodeCpuPprof(
  profile: Profiler.Profile,
  options: { readonly startedAt: number; readonly intervalUs: number; readonly labels?: PprofLabels },
): Promise<Uint8Array> {
  const { startedAt, intervalUs, labels } = options;
  const { nodes, times, durationUs } = readCpuProfile(profile, intervalUs);
  const writer = new PprofWriter(nodes, labels);
  for (const { place, count, selfUs } of times) writer.addSample(place, [count, Math.round(selfUs * 1000)]);
  return writer.finish({
    types: [
      ['samples', 'count'],
      ['cpu', 'nanoseconds'],
    ],
    periodType: ['cpu', 'nanoseconds'],
    period: Math.round(intervalUs * 1000),
    startedAt,
    durationNanos: Math.round(durationUs * 1000),
  });
}

/**
 * Allocations that are still alive as gzipped pprof, with `inuse_objects` and `inuse_space` bytes. Bytes are V8's
 * estimate for all allocations; objects are only the sampled ones, because the inspector reports no estimate of their
 * number.
 * @param options `startedAt` in milliseconds since 1970; `intervalBytes` is the requested interval
 * @throws TypeError for a malformed profile: names the field, what was received, and what is expected
 */
export async function encodeAllocationsPprof(
  profile: HeapProfiler.SamplingHeapProfile,
  options: {
    readonly startedAt: number;
    readonly durationMs: number;
    readonly intervalBytes?: number;
    readonly labels?: PprofLabels;
  },
): Promise<Uint8Array> {
  const { startedAt, durationMs, intervalBytes = ALLOCATION_INTERVAL, labels } = options;
  const raw = objectAt(profile, 'profile');
  const nodes = new CheckedNodes();
  const waiting = [{ value: raw['head'], path: 'profile.head', parent: -1 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, path } = next;
    const parent = nodes.add(value, path, next.parent);
    const { children = [] } = objectAt(value, path);
    for (const [index, child] of arrayAt(children, `${path}.children`).entries()) {
      waiting.push({ value: child, path: `${path}.children[${index}]`, parent });
    }
  }
  const objects = new Float64Array(nodes.list.length);
  for (const [index, value] of arrayAt(raw['samples'] ?? [], 'profile.samples').entries()) {
    const path = `profile.samples[${index}]`;
    const { nodeId } = objectAt(value, path);
    // A node without estimated bytes may be missing from the tree while its sample is still listed.
    const place = nodes.placeOf(nodeId);
    if (place !== undefined) objects[place] = (objects[place] ?? 0) + 1;
  }

  const writer = new PprofWriter(nodes.list, labels);
  for (const [place, node] of nodes.list.entries()) {
    const size = numberAt(node.raw['selfSize'], `selfSize of node ${String(node.raw['id'])}`);
    if (size > 0) writer.addSample(place, [Math.max(1, objects[place] ?? 0), Math.round(size)]);
  }
  return writer.finish({
    types: [
      ['inuse_objects', 'count'],
      ['inuse_space', 'bytes'],
    ],
    periodType: ['space', 'bytes'],
    period: intervalBytes,
    startedAt,
    durationNanos: Math.max(0, Math.round(durationMs * 1e6)),
  });
}
