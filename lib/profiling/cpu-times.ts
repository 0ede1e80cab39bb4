import { arrayAt, type CheckedNode, CheckedNodes, numberAt, objectAt, reject } from './checked-profile.js';

/** What ran in a CPU profile, by the nodes of its call tree. */
export interface CpuTimes {
  readonly nodes: readonly CheckedNode[];
  /** Nodes with samples, without `(idle)`: their samples, and their self time in microseconds. */
  readonly times: readonly { readonly place: number; readonly count: number; readonly selfUs: number }[];
  /** Microseconds. */
  readonly durationUs: number;
}

/**
 * Reads a profile in the inspector's format. A sample of V8's lasts until the next one.
 * @param intervalUs the requested interval in microseconds, for profiles without times
 * @throws TypeError for a malformed profile: names the field, what was received, and what is expected
 */
export function readCpuProfile(profile: unknown, intervalUs: number): CpuTimes {
  const raw = objectAt(profile, 'profile');
  const nodes = new CheckedNodes();
  for (const [index, node] of arrayAt(raw['nodes'], 'profile.nodes').entries()) {
    nodes.add(node, `profile.nodes[${index}]`);
  }
  nodes.link('profile.nodes');
  const startTime = numberAt(raw['startTime'], 'profile.startTime');
  const endTime = numberAt(raw['endTime'], 'profile.endTime');
  const { counts, selfUs } = selfTimes(raw, nodes, startTime, endTime, intervalUs);
  const times = [...counts].flatMap((count, place) =>
    count > 0 && nodes.list[place]?.name !== '(idle)' ? { place, count, selfUs: selfUs[place] ?? 0 } : [],
  );
  return { nodes: nodes.list, times, durationUs: Math.max(0, endTime - startTime) };
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
