import { MemoryRecorder } from '../../../lib/baseline/memory-recorder.js';
import { ProcessMemory } from '../../../lib/baseline/process-memory.js';
import { MINUTE, randomOf } from './simulated-windows.js';

export const MB = 2 ** 20;

/** How the memory of the processes of a version behaves. */
export interface MemoryBehaviour {
  readonly startedAt: number;
  readonly minutes: number;
  readonly processes?: number;
  /** What the code and its data hold, in MB. */
  readonly heapMb?: number;
  /** What is resident beside the heap, in MB. */
  readonly nativeMb?: number;
  /** The spread of processes, and of readings, as natural logarithms. */
  readonly spread?: number;
  readonly noise?: number;
  /** What caches hold once they are full, in MB, and the minutes in which they fill by two thirds. */
  readonly cacheMb?: number;
  readonly fillMinutes?: number;
  /** What is never released, in MB an hour. */
  readonly leakMb?: number;
  /** Executions a minute, and the MB that each of them holds. */
  readonly perMinute?: number;
  readonly perExecutionMb?: number;
  /** How much traffic wanders within minutes, as a natural logarithm. */
  readonly wander?: number;
  /** The minutes between major collections. */
  readonly collectsEvery?: number;
  readonly seed?: number;
}

/** Bytes of the memory that processes have recorded. */
export function memoryOf({
  startedAt,
  minutes,
  processes = 1,
  heapMb = 80,
  nativeMb = 60,
  spread = 0.01,
  noise = 0.03,
  cacheMb = 20,
  fillMinutes = 30,
  leakMb = 0,
  perMinute = 60,
  perExecutionMb = 0.05,
  wander = 0.08,
  collectsEvery = 1,
  seed = 1,
}: MemoryBehaviour): Uint8Array {
  const random = randomOf(seed);
  const memory = new ProcessMemory();
  for (let process = 0; process < processes; process++) {
    const recorder = new MemoryRecorder(startedAt, 3 * MINUTE);
    const own = Math.exp(spread * random.normal());
    let [wave, executions, collected] = [0, 0, 0];
    for (let minute = 0; minute < minutes; minute += 0.5) {
      // Noise that lasts for minutes.
      wave = 0.95 * wave + Math.sqrt(1 - 0.95 ** 2) * random.normal();
      const load = perMinute * Math.exp(wander * wave);
      executions += load / 2;
      const held = heapMb + cacheMb * (1 - Math.exp(-minute / fillMinutes)) + (leakMb * minute) / 60;
      const heap =
        own * (held + perExecutionMb * load) * Math.exp(noise * (0.7 * wave + 0.7 * random.normal()));
      const isCollected = minute - collected >= collectsEvery;
      if (isCollected) collected = minute;
      const rss = 1.4 * heap + own * nativeMb * Math.exp(noise * random.normal());
      const at = startedAt + minute * MINUTE + 1000;
      recorder.add({ at, heapUsed: isCollected ? heap * MB : Number.NaN, rss: rss * MB }, () => executions);
    }
    memory.merge(recorder.memory);
  }
  return memory.toBytes();
}
