import { readFileSync } from 'node:fs';
import { posix } from 'node:path';

/** A limit of memory, in bytes. */
export interface MemoryLimit {
  readonly limitBytes: number;
  /** What may still be taken until then. Negative where the kernel is about to act. */
  readonly restBytes: number;
}

/** How one version of control groups names its files. */
interface Names {
  readonly limits: readonly string[];
  readonly usage: string;
  /** The line of `memory.stat` with what the kernel drops before it ends anybody: files that were read long ago. */
  readonly dropped: RegExp;
}

const V1: Names = {
  limits: ['memory.limit_in_bytes'],
  usage: 'memory.usage_in_bytes',
  dropped: /^total_inactive_file (\d+)$/m,
};
/** Above `memory.high` a process is only slowed down, but until it stands still. */
const V2: Names = {
  limits: ['memory.max', 'memory.high'],
  usage: 'memory.current',
  dropped: /^inactive_file (\d+)$/m,
};
/** Groups lie within each other; Kubernetes has four levels of them. */
const MAX_LEVELS = 12;

/**
 * The tightest limit of memory among the control groups that this process is in: its own one and those around it, of
 * which Node's own figures know nothing (20 to 26).
 * @param root where control groups are mounted
 * @param membership the file that says which ones this process is in
 * @returns nothing where there is no limit, or none can be read
 */
export function cgroupMemory(
  root = '/sys/fs/cgroup',
  membership = '/proc/self/cgroup',
): MemoryLimit | undefined {
  const lines = read(membership) ?? '';
  const v1 = /^\d+:(?:[^:\n]*,)?memory(?:,[^:\n]*)?:(.*)$/m.exec(lines)?.[1];
  if (v1 !== undefined) return tightest(posix.join(root, 'memory'), v1, V1);
  const v2 = /^0::(.*)$/m.exec(lines)?.[1];
  return v2 === undefined ? undefined : tightest(root, v2, V2);
}

function tightest(root: string, path: string, names: Names): MemoryLimit | undefined {
  let least: MemoryLimit | undefined;
  for (const group of around(root, path)) {
    const limitBytes = Math.min(...names.limits.map((name) => bytesOf(read(posix.join(group, name)))));
    if (!Number.isSafeInteger(limitBytes)) continue;
    const usage = bytesOf(read(posix.join(group, names.usage)));
    if (!Number.isFinite(usage)) continue;
    const dropped = names.dropped.exec(read(posix.join(group, 'memory.stat')) ?? '')?.[1];
    const restBytes = limitBytes - Math.max(0, usage - Number(dropped ?? 0));
    if (least === undefined || restBytes < least.restBytes) least = { limitBytes, restBytes };
  }
  return least;
}

/** The group and all around it. In a container the path may be the host's, of which only the root is there. */
function around(root: string, path: string): string[] {
  const groups: string[] = [];
  let group = posix.join(root, path);
  while (group.startsWith(`${root}/`) && groups.length < MAX_LEVELS) {
    groups.push(group);
    group = posix.dirname(group);
  }
  groups.push(root);
  return groups;
}

/** Infinite where there is no such file, and where it says `max`. */
function bytesOf(text: string | undefined): number {
  const value = text?.trim() ?? '';
  return /^\d+$/.test(value) ? Number(value) : Number.POSITIVE_INFINITY;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
