import { readFileSync } from 'node:fs';
import { posix } from 'node:path';

/** A memory limit, in bytes. */
export interface MemoryLimit {
  readonly limitBytes: number;
  /** Memory left until the limit. Negative if the kernel is about to enforce it. */
  readonly restBytes: number;
}

/** The file names of one version of control groups. */
interface Names {
  readonly limits: readonly string[];
  readonly usage: string;
  /**
   * The line of `memory.stat` with the memory that the kernel reclaims before it kills a process: files read long ago.
   */
  readonly reclaimable: RegExp;
}

const V1: Names = {
  limits: ['memory.limit_in_bytes'],
  usage: 'memory.usage_in_bytes',
  reclaimable: /^total_inactive_file (\d+)$/m,
};
/** Above `memory.high` the kernel throttles a process, down to a standstill. */
const V2: Names = {
  limits: ['memory.max', 'memory.high'],
  usage: 'memory.current',
  reclaimable: /^inactive_file (\d+)$/m,
};
/** Groups are nested; Kubernetes has four levels. */
const MAX_LEVELS = 12;

/**
 * The tightest memory limit among this process's control group and its ancestors. Node (20 to 26) knows only the group
 * itself.
 * @param root the mount point of control groups
 * @param membership the file that names this process's groups
 * @returns undefined if there is no limit, or none can be read
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
  let tightestLimit: MemoryLimit | undefined;
  for (const group of groupAndAncestors(root, path)) {
    const limitBytes = Math.min(...names.limits.map((name) => bytesOf(read(posix.join(group, name)))));
    if (!Number.isSafeInteger(limitBytes)) continue;
    const usage = bytesOf(read(posix.join(group, names.usage)));
    if (!Number.isFinite(usage)) continue;
    const reclaimable = names.reclaimable.exec(read(posix.join(group, 'memory.stat')) ?? '')?.[1];
    const restBytes = limitBytes - Math.max(0, usage - Number(reclaimable ?? 0));
    if (tightestLimit === undefined || restBytes < tightestLimit.restBytes)
      tightestLimit = { limitBytes, restBytes };
  }
  return tightestLimit;
}

/** The group and its ancestors. In a container the path may be the host's, of which only the root exists. */
function groupAndAncestors(root: string, path: string): string[] {
  const groups: string[] = [];
  let group = posix.join(root, path);
  while (group.startsWith(`${root}/`) && groups.length < MAX_LEVELS) {
    groups.push(group);
    group = posix.dirname(group);
  }
  groups.push(root);
  return groups;
}

/** Infinity if the file does not exist or contains `max`. */
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
