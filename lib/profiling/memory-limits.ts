import { readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import { isMainThread, resourceLimits } from 'node:worker_threads';
import { cgroupMemory, type MemoryLimit } from '../process/cgroup-memory.js';

/** What this process has of memory and may still take, in bytes. */
export interface MemoryRoom {
  /** What may still be taken: the least that the machine, control groups and limits of the process leave. */
  readonly availableBytes: number;
  /** The limit that leaves the least, where it is one and not the machine that does. */
  readonly limitBytes?: number;
  /** The heap of this thread, garbage included. */
  readonly heapUsedBytes: number;
  /** Of these, what single objects of more than 128 KB hold: arrays, tables of maps, and texts. */
  readonly heapLargeBytes: number;
  /** What V8 lets the old generation of this heap grow to. Some less than `heap_size_limit`, which counts the young one. */
  readonly heapLimitBytes: number;
  /** Buffers and the like, outside of the heap. */
  readonly externalBytes: number;
}

const MB = 1024 * 1024;
/**
 * The young generation is at the most so much of `heap_size_limit` where neither is set: 48 of 560 MB (Node 24 with
 * 1 GB of memory). Where the old one's share is set, so much comes on top: 192 MB (Node 24; 48 on 20 and 22).
 */
const YOUNG_SHARE = 0.1;
const MAX_YOUNG_BYTES = 192 * MB;
/** Of the semi-space that is set, the young generation takes so many. */
const SEMI_SPACES = 3;

/** Reads what this process may still take. Never throws; reads some small files, which takes about 0.1 ms. */
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
  // Not the trusted one, which holds code.
  for (const { space_name, space_used_size } of getHeapSpaceStatistics())
    if (/^(?:new_|shared_)?large_object_space$/.test(space_name)) bytes += space_used_size;
  return bytes;
}

function machineBytes(): number {
  // It keeps little memory free, and makes room by compressing what lies idle when more is asked for.
  if (process.platform === 'darwin') return Math.max(freemem(), totalmem() / 2);
  // Without the right to read files there is Node's own figure, which knows the innermost control group.
  if ('permission' in process && process.permission) return process.availableMemory();
  return freemem();
}

/** `ulimit -v` and `ulimit -d`, of which `process.availableMemory()` knows nothing (Node 20 to 26). */
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

/** V8 does not tell it of the main thread: it is concluded from the flags, rather too small than too large. */
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

/** The last one counts, and those of the command line after the environment's. */
function lastOf(flags: string, flag: RegExp): number | undefined {
  const value = [...flags.matchAll(flag)].at(-1)?.[1];
  return value === undefined ? undefined : Number(value);
}
