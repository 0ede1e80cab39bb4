import { posix } from 'node:path';
import { CGROUP_PATHS, type CgroupPaths, cgroupsOf, readText } from './cgroup.js';

/**
 * How long the control groups of this process have been stopped because they had used up their CPU limit.
 * Source: `Documentation/admin-guide/cgroup-v2.rst` (`cpu.stat`) of the Linux kernel.
 */
export class CgroupThrottling {
  /** The `cpu.stat` of each group with a limit. */
  private readonly files: readonly string[];

  constructor(paths: CgroupPaths = CGROUP_PATHS) {
    const groups = cgroupsOf('cpu', paths);
    this.files = (groups?.directories ?? [])
      .filter((directory) => hasLimit(directory, groups?.version))
      .map((directory) => posix.join(directory, 'cpu.stat'));
  }

  /** Milliseconds since the groups were created, the sum of all CPUs; 0 without a limit. Takes about 15 µs with one. */
  read(): number {
    let ms = 0;
    for (const file of this.files) {
      const [, us, ns] = /^throttled_(?:usec (\d+)|time (\d+))$/m.exec(readText(file) ?? '') ?? [];
      ms += Number(us ?? 0) / 1e3 + Number(ns ?? 0) / 1e6;
    }
    return ms;
  }
}

function hasLimit(directory: string, version: 1 | 2 | undefined): boolean {
  const limit = readText(posix.join(directory, version === 1 ? 'cpu.cfs_quota_us' : 'cpu.max'));
  return limit !== undefined && /^[1-9]/.test(limit);
}
