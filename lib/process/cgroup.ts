import { readFileSync } from 'node:fs';
import { posix } from 'node:path';

/** Groups are nested; Kubernetes has four levels. */
const MAX_LEVELS = 12;

/** Where control groups are mounted, and the file that names the groups of this process. */
export interface CgroupPaths {
  readonly root: string;
  readonly membership: string;
}

export const CGROUP_PATHS: CgroupPaths = { root: '/sys/fs/cgroup', membership: '/proc/self/cgroup' };

/** This process's control groups for one controller. */
export interface Cgroups {
  readonly version: 1 | 2;
  /** The directory of the group and those of its ancestors. */
  readonly directories: readonly string[];
}

/** @returns undefined if the process belongs to no control group */
export function cgroupsOf(
  controller: 'memory' | 'cpu',
  { root, membership }: CgroupPaths,
): Cgroups | undefined {
  const lines = readText(membership) ?? '';
  const v1 = new RegExp(`^\\d+:(?:[^:\\n]*,)?${controller}(?:,[^:\\n]*)?:(.*)$`, 'm').exec(lines)?.[1];
  if (v1 !== undefined)
    return { version: 1, directories: groupAndAncestors(posix.join(root, controller), v1) };
  const v2 = /^0::(.*)$/m.exec(lines)?.[1];
  return v2 === undefined ? undefined : { version: 2, directories: groupAndAncestors(root, v2) };
}

/** In a container the path may be the host's, of which only the root exists. */
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

/** The content of a file; undefined if it cannot be read. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
