const MB = 2 ** 20;
/** V8's limit counts a young generation of three semi-spaces of 16 MB, in which a leak does not stay. */
const YOUNG_BYTES = 48 * MB;
const OLD_SPACE = /^--max[-_]old[-_]space[-_]size=(\d+)$/;

/**
 * What the old generation may hold: a process with a limit of 64 MB for it says that its heap may have 112, and runs out
 * of memory at 64.
 * @param heapSizeLimit of `v8.getHeapStatistics()`, in bytes
 * @param flags of Node, as in `process.execArgv` and `NODE_OPTIONS`; the last one counts
 */
export function oldGenerationLimit(heapSizeLimit: number, flags: readonly string[]): number {
  for (const flag of [...flags].reverse()) {
    const megabytes = Number(OLD_SPACE.exec(flag)?.[1] ?? 0);
    if (megabytes > 0) return Math.min(heapSizeLimit, megabytes * MB);
  }
  return Math.max(heapSizeLimit / 2, heapSizeLimit - YOUNG_BYTES);
}
