import { readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import { isMainThread, resourceLimits } from 'node:worker_threads';
import { cgroupMemory, type MemoryLimit } from '../process/cgroup-memory.js';

/** The memory that this process uses and may still take, in bytes. */
export interface MemoryRoom {
  /** The least that the machine, control groups and process limits leave. */
  readonly availableBytes: number;
  /** The limit that leaves the least; undefined if the machine's memory does. */
  readonly limitBytes?: number;
  /** The heap of this thread, garbage included. */
  readonly heapUsedBytes: number;
  /** The part of it in objects of more than 128 KB: arrays, tables of maps, and strings. */
  readonly heapLargeBytes: number;
  /** The largest size of the old generation: less than `heap_size_limit`, which includes the young generation. */
  readonly heapLimitBytes: number;
  /** Memory outside the heap, such as buffers. */
  readonly externalBytes: number;
}

const MB = 1024 * 1024;
/**
 * The young generation takes up to this share of `heap_size_limit` if no size is set: 48 of 560 MB (Node 24 with 1 GB
 * of memory). If the old generation's percentage is set, up to this size is added: 192 MB (Node 24; 48 on 20 and 22).
 */
const YOUNG_SHARE = 0.1;
const MAX_YOUNG_BYTES = 192 * MB;
/** The young generation's size in semi-spaces, if their size is set. */
const SEMI_SPACES = 3;

/** Reads the available memory. Never throws; reads some small files, which takes about 0.1 ms. */
export function memoryRoom(): MemoryRoom {
  const heap = getHeapStatistics();
  let availableBytes = Math.max(0, machineBytes());
  let limitBytes: number | undefined;
  for (const limit of [cgroupMemory(), ...processLimits()]) {
    if (limit === undefined || limit.restBytes >= availableBytes) continue;
    availableBytes = Math.max(0, limit.restBytes);
    limitBytes = limit.limitBytes;
  }
  return {
    availableBytes,
    ...(limitBytes !== undefined && { limitBytes }),
    heapUsedBytes: heap.used_heap_size,
    heapLargeBytes: largeBytes(),
    heapLimitBytes: oldGenerationBytes(heap.heap_size_limit),
    externalBytes: heap.external_memory,
  };
}

function largeBytes(): number {
  let bytes = 0;
  // Excludes the trusted space, which holds code.
  for (const { space_name, space_used_size } of getHeapSpaceStatistics())
    if (/^(?:new_|shared_)?large_object_space$/.test(space_name)) bytes += space_used_size;
  return bytes;
}

function machineBytes(): number {
  // macOS keeps little memory free, and compresses inactive memory on demand.
  if (process.platform === 'darwin') return Math.max(freemem(), totalmem() / 2);
  // Without permission to read files, Node's own figure is used, which knows the innermost control group.
  if ('permission' in process && process.permission) return process.availableMemory();
  return freemem();
}

/** `ulimit -v` and `ulimit -d`, which `process.availableMemory()` does not consider (Node 20 to 26). */
function processLimits(): MemoryLimit[] {
  if (process.platform !== 'linux') return [];
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const space = /^Max address space +(\d+)/m.exec(limits);
    const data = /^Max data size +(\d+)/m.exec(limits);
    if (space === null && data === null) return [];
    const status = readFileSync('/proc/self/status', 'utf8');
    return [
      ...restOf(space, /^VmSize:\s+(\d+)/m.exec(status)),
      ...restOf(data, /^VmData:\s+(\d+)/m.exec(status)),
    ];
  } catch {
    return [];
  }
}

function restOf(limit: RegExpExecArray | null, usedKb: RegExpExecArray | null): MemoryLimit[] {
  if (limit === null || usedKb === null) return [];
  const limitBytes = Number(limit[1]);
  return [{ limitBytes, restBytes: limitBytes - Number(usedKb[1]) * 1024 }];
}

/** V8 does not report it for the main thread. It is derived from the flags, and rather too small than too large. */
function oldGenerationBytes(sizeLimit: number): number {
  if (!isMainThread && resourceLimits.maxOldGenerationSizeMb)
    return Math.min(sizeLimit, resourceLimits.maxOldGenerationSizeMb * MB);
  const flags = [process.env['NODE_OPTIONS'] ?? '', ...process.execArgv].join(' ').replaceAll('_', '-');
  const old = lastOf(flags, /--max-old-space-size[= ](\d+)/g);
  if (old !== undefined) return Math.min(sizeLimit, old * MB);
  const semi = lastOf(flags, /--max-semi-space-size[= ](\d+)/g);
  if (semi !== undefined) return sizeLimit - semi * SEMI_SPACES * MB;
  if (flags.includes('--max-old-space-size-percentage')) return sizeLimit - MAX_YOUNG_BYTES;
  return sizeLimit * (1 - YOUNG_SHARE);
}

/** The last flag counts, and the command line overrides the environment. */
function lastOf(flags: string, flag: RegExp): number | undefined {
  const value = [...flags.matchAll(flag)].at(-1)?.[1];
  return value === undefined ? undefined : Number(value);
}
