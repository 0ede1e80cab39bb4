import type { HeapProfiler, Profiler } from 'node:inspector';
import { arrayAt, CheckedNodes, numberAt, objectAt, reject } from './checked-profile.js';
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
  const raw = objectAt(profile, 'profile');
  const nodes = new CheckedNodes();
  for (const [index, node] of arrayAt(raw['nodes'], 'profile.nodes').entries()) {
    nodes.add(node, `profile.nodes[${index}]`);
  }
  nodes.link('profile.nodes');
  const startTime = numberAt(raw['startTime'], 'profile.startTime');
  const endTime = numberAt(raw['endTime'], 'profile.endTime');
  const { counts, selfUs } = selfTimes(raw, nodes, startTime, endTime, intervalUs);

  const writer = await PprofWriter.create(nodes.list, labels);
  for (const [place, count] of counts.entries()) {
    if (count > 0 && nodes.list[place]?.name !== '(idle)') {
      writer.addSample(place, [count, Math.round((selfUs[place] ?? 0) * 1000)]);
    }
  }
  return writer.finish({
    types: [
      ['samples', 'count'],
      ['cpu', 'nanoseconds'],
    ],
    periodType: ['cpu', 'nanoseconds'],
    period: Math.round(intervalUs * 1000),
    startedAt,
    durationNanos: Math.max(0, Math.round((endTime - startTime) * 1000)),
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

  const writer = await PprofWriter.create(nodes.list, labels);
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

/** By node: its samples, and its self time in microseconds. */
function selfTimes(
  raw: Readonly<Record<string, unknown>>,
  nodes: CheckedNodes,
  startTime: number,
  endTime: number,
  intervalUs: number,
): { counts: Float64Array; selfUs: Float64Array } {
  const counts = new Float64Array(nodes.list.length);
  const selfUs = new Float64Array(nodes.list.length);
  if (raw['samples'] === undefined && raw['timeDeltas'] === undefined) {
    for (const [place, node] of nodes.list.entries()) {
      const hits = numberAt(node.raw['hitCount'], `profile.nodes[${place}].hitCount`);
      counts[place] = hits;
      selfUs[place] = hits * intervalUs;
    }
    return { counts, selfUs };
  }
  const samples = arrayAt(raw['samples'], 'profile.samples');
  const deltas = arrayAt(raw['timeDeltas'], 'profile.timeDeltas');
  if (deltas.length !== samples.length) {
    reject('profile.timeDeltas.length', deltas.length, `one for each of the ${samples.length} samples`);
  }
  let before = -1;
  let clock = startTime;
  let latest = startTime;
  for (const [index, id] of samples.entries()) {
    const place = nodes.placeOf(id);
    if (place === undefined) return reject(`profile.samples[${index}]`, id, 'the id of a node');
    clock += numberAt(deltas[index], `profile.timeDeltas[${index}]`);
    // V8 may report samples in the order in which it processed them, so that time seems to go back.
    const now = Math.max(latest, clock);
    if (before >= 0) selfUs[before] = (selfUs[before] ?? 0) + now - latest;
    counts[place] = (counts[place] ?? 0) + 1;
    before = place;
    latest = now;
  }
  if (before >= 0) selfUs[before] = (selfUs[before] ?? 0) + Math.max(0, endTime - latest);
  return { counts, selfUs };
}
