import { readdirSync, readFileSync } from 'node:fs';

const TASKS = '/proc/self/task';
/** The thread with which V8 samples the main thread. */
const PROFILER_THREAD = 'v8:ProfEvntProc';

/**
 * The CPU time of a thread of this process in milliseconds, by its number at the operating system; 0 where that is unknown.
 * Linux only. Takes some 20 µs.
 */
export function threadCpuMs(number: number): number {
  if (number === 0) return 0;
  try {
    const [nanoseconds] = readFileSync(`${TASKS}/${number}/schedstat`, 'utf8').split(' ');
    return Number(nanoseconds) / 1e6 || 0;
  } catch {
    return 0;
  }
}

/** The number of the thread that V8's profiler samples with, if there is one. Reads a file for each thread. */
export function profilerThread(): number {
  try {
    return Number(readdirSync(TASKS).find(isProfiler)) || 0;
  } catch {
    return 0;
  }
}

function isProfiler(number: string): boolean {
  try {
    return readFileSync(`${TASKS}/${number}/comm`, 'utf8').trim() === PROFILER_THREAD;
  } catch {
    return false;
  }
}

/** Adds up the CPU time of threads, also of those that have ended. */
export class ThreadTimes {
  private readonly last = new Map<number, number>();
  private total = 0;

  constructor(private readonly cpuMs: (number: number) => number = threadCpuMs) {}

  /** @param numbers of the threads that run now; 0 is none */
  read(numbers: readonly number[]): number {
    for (const number of numbers) {
      const ms = this.cpuMs(number);
      this.total += Math.max(0, ms - (this.last.get(number) ?? 0));
      if (ms > 0) this.last.set(number, ms);
    }
    for (const number of this.last.keys()) if (!numbers.includes(number)) this.last.delete(number);
    return this.total;
  }
}
