import { openSync, readSync } from 'node:fs';
import { runInThisContext } from 'node:vm';
import { processWide } from '../async/process-wide.js';
import { cpuTimeMs } from './cpu-time.js';

const FILE = '/proc/thread-self/schedstat';
const SPACE = 0x20;

/**
 * What the scheduler counts for this thread: CPU time, and the time in which it was ready to run and had no CPU because of
 * other processes or a container's limit. The rest of the time it waited. Neither a profiler nor a busy machine falsifies
 * these figures. Linux only: elsewhere, the CPU time is that of the whole process and the run delay is unknown.
 *
 * Source: `Documentation/scheduler/sched-stats.rst` of the Linux kernel.
 */
export class ThreadClock {
  /** In milliseconds since the thread started, as of the last {@link read}. */
  cpuMs = 0;
  runDelayMs = 0;
  /** Whether the figures are the scheduler's. */
  isExact: boolean;
  private readonly file: number | undefined;
  private readonly bytes = Buffer.alloc(64);
  private at = 0;

  /** @param path another file of the same format */
  constructor(path = FILE) {
    this.file = path === FILE ? openOnce() : open(path);
    this.isExact = this.file !== undefined && this.readFile() && this.cpuMs > 0;
    if (!this.isExact) this.read();
  }

  /** Takes about 1.5 µs. */
  read(): void {
    this.isExact &&= this.readFile();
    if (!this.isExact) this.cpuMs = cpuTimeMs();
  }

  private readFile(): boolean {
    try {
      if (readSync(this.file as number, this.bytes, 0, this.bytes.length, 0) === 0) return false;
    } catch {
      return false;
    }
    this.at = 0;
    this.cpuMs = this.number() / 1e6;
    this.runDelayMs = this.number() / 1e6;
    return true;
  }

  /** The next number, in nanoseconds. Converting to a string would take twice as long. */
  private number(): number {
    let value = 0;
    let byte = this.bytes[this.at++] as number;
    while (byte > SPACE) {
      value = value * 10 + byte - 0x30;
      byte = this.bytes[this.at++] as number;
    }
    return value;
  }
}

/**
 * The file of this thread, opened once: a test runner may load this module for each of its files, in a context of its own.
 * Only the number is kept in the first context, so that it retains none of them.
 */
function openOnce(): number | undefined {
  const scope = runInThisContext('globalThis') as Record<symbol, number | undefined>;
  const key = Symbol.for('nestjs-performance.schedstat');
  scope[key] ??= open(FILE);
  return scope[key];
}

function open(path: string): number | undefined {
  try {
    return process.platform === 'linux' ? openSync(path, 'r') : undefined;
  } catch {
    return undefined;
  }
}

/** The clock of this thread, which several modules share. */
export function threadClock(): ThreadClock {
  return processWide('thread-clock', () => new ThreadClock());
}
