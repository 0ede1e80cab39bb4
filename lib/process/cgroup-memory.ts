import { posix } from 'node:path';
import { CGROUP_PATHS, type CgroupPaths, cgroupsOf, readText } from './cgroup.js';

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
/**
 * The tightest memory limit among this process's control group and its ancestors. Node (20 to 26) knows only the group
 * itself.
 * @returns undefined if there is no limit, or none can be read
 */
export function cgroupMemory(paths: CgroupPaths = CGROUP_PATHS): MemoryLimit | undefined {
  const groups = cgroupsOf('memory', paths);
  if (groups === undefined) return undefined;
  const names = groups.version === 1 ? V1 : V2;
  let tightest: MemoryLimit | undefined;
  for (const group of groups.directories) {
    const limitBytes = Math.min(...names.limits.map((name) => bytesOf(readText(posix.join(group, name)))));
    if (!Number.isSafeInteger(limitBytes)) continue;
    const usage = bytesOf(readText(posix.join(group, names.usage)));
    if (!Number.isFinite(usage)) continue;
    const reclaimable = names.reclaimable.exec(readText(posix.join(group, 'memory.stat')) ?? '')?.[1];
    const restBytes = limitBytes - Math.max(0, usage - Number(reclaimable ?? 0));
    if (tightest === undefined || restBytes < tightest.restBytes) tightest = { limitBytes, restBytes };
  }
  return tightest;
}

/** Infinity if the file does not exist or contains `max`. */
function bytesOf(text: string | undefined): number {
  const value = text?.trim() ?? '';
  return /^\d+$/.test(value) ? Number(value) : Number.POSITIVE_INFINITY;
}
