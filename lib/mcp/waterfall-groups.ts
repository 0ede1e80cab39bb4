import type { Waterfall } from '../spans/waterfall.js';

/** Consecutive spans of the same name below the same parent, as one. Durations in milliseconds. */
export interface SpanGroup {
  readonly name: string;
  readonly type: string;
  /** 0 for the operation itself. */
  readonly depth: number;
  /** When the first one started, since the start of the operation. */
  readonly startMs: number;
  count: number;
  /** The sum of their durations: more than the time that passed if they ran at the same time. */
  totalMs: number;
  maxMs: number;
  errors: number;
}

/** The spans of a waterfall in their order, repetitions as one: what an N+1 does a hundred times takes one entry. */
export function spanGroups({ spans }: Waterfall): SpanGroup[] {
  const groups: SpanGroup[] = [];
  /** The group of each span, so that its children find their depth. */
  const groupOf: SpanGroup[] = [];
  /** The latest group below each group. */
  const latest = new Map<SpanGroup | undefined, SpanGroup>();
  for (const { name, type, startMs, durationMs, parent, error } of spans) {
    const above = groupOf[parent];
    let group = latest.get(above);
    if (group?.name !== name || group.type !== type) {
      const depth = above === undefined ? 0 : above.depth + 1;
      group = { name, type, depth, startMs, count: 0, totalMs: 0, maxMs: 0, errors: 0 };
      groups.push(group);
      latest.set(above, group);
    }
    group.count++;
    group.totalMs += durationMs;
    group.maxMs = Math.max(group.maxMs, durationMs);
    if (error === true) group.errors++;
    groupOf.push(group);
  }
  return groups;
}
