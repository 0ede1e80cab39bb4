import { reportFault } from '../async/thrown.js';
import { round } from '../text/round.js';
import { Ladder, type LadderChange, type PartCosts } from './ladder.js';
import type { MemoryBudget, MemoryChange, MemoryPartStatus } from './memory-budget.js';
import type { ResolvedOverheadOptions } from './overhead-options.js';
import type { CostReading, OwnCost } from './own-cost.js';
import { bitOf, SHEDDABLE, type SheddablePart, type Shedding, WORDS } from './sheddable.js';

const READ_EVERY_MS = 1000;
const MB = 1024 * 1024;
/** These cost the same without any request. */
const FIXED = new Set(['timers', 'threads']);

/** What one part costs. */
export interface OverheadPart {
  /** Percent of one core. */
  readonly cpuPercent: number;
  /** Absent without requests, and for parts that cost the same without any. */
  readonly microsecondsPerRequest?: number;
}

/** What this package costs, measured over the last minute (`overhead.windowSeconds`). Absent figures are not known yet. */
export interface OverheadStatus {
  /** Its CPU time in percent of one core. */
  readonly cpuPercent?: number;
  /** The same in percent of the CPU time of the process. */
  readonly processPercent?: number;
  /** The CPU time that requests cause, for each of them. */
  readonly microsecondsPerRequest?: number;
  readonly maxCpuPercent: number;
  /** The seconds that were measured. */
  readonly seconds: number;
  /** One of so many calls is measured. */
  readonly measuredOneOf: number;
  readonly byPart: Readonly<Record<string, OverheadPart>>;
  /** The parts that pause because the CPU time was above its budget, and buffers that are smaller because memory was. */
  readonly shed: readonly string[];
  readonly memory: {
    readonly bytes: number;
    readonly maxBytes: number;
    readonly byPart: Readonly<Record<string, MemoryPartStatus>>;
  };
}

/** What an {@link Overhead} acts on. */
export interface OverheadDependencies {
  readonly cost: OwnCost;
  readonly memory: MemoryBudget;
  readonly shedding: Shedding;
  /** Whether a part runs, so that pausing it saves something. */
  runs(part: SheddablePart): boolean;
  /** Called after each change of {@link Shedding.bits}. */
  changed(part: SheddablePart, isPaused: boolean): void;
  measuredOneOf(): number;
  /** The windows after the start in which nothing pauses: code that is not yet compiled costs more. */
  readonly startWindows: number;
}

/** Compares what this package costs with its budgets, pauses parts that are too dear, and resumes them. */
export class Overhead {
  private readonly readings: CostReading[] = [];
  private readonly ladder: Ladder;
  private readonly windowMs: number;
  private steppedAt: number | undefined;
  private windows = 0;
  /** Receives one message for each change. Set by the module. */
  log: ((message: string) => void) | undefined;

  constructor(
    private readonly options: ResolvedOverheadOptions,
    private readonly dependencies: OverheadDependencies,
  ) {
    this.ladder = new Ladder(options.maxCpuPercent);
    this.windowMs = options.windowSeconds * 1000;
  }

  /** Call it regularly. @param now milliseconds on the clock of the readings */
  tick(now: number): void {
    const last = this.readings.at(-1);
    if (last !== undefined && now - last.at < READ_EVERY_MS) return;
    const reading = this.dependencies.cost.read();
    this.readings.push(reading);
    while ((this.readings[1]?.at ?? now) <= now - this.windowMs) this.readings.shift();
    this.steppedAt ??= now;
    if (now - this.steppedAt < this.windowMs) return;
    this.steppedAt = now;
    if (++this.windows > this.dependencies.startWindows) this.stepCpu();
    this.stepMemory();
  }

  /** The cost from the start until now by part, in milliseconds of CPU time. */
  get totals(): ReadonlyMap<string, number> {
    return this.dependencies.cost.read().byPart;
  }

  get status(): OverheadStatus {
    const { bytes, byPart } = this.dependencies.memory.status();
    return {
      ...this.cpu(),
      maxCpuPercent: this.options.maxCpuPercent,
      measuredOneOf: this.dependencies.measuredOneOf(),
      shed: [...this.ladder.shed, ...this.dependencies.memory.shed],
      memory: { bytes, maxBytes: this.dependencies.memory.maxBytes, byPart },
    };
  }

  private cpu(): Pick<OverheadStatus, 'seconds' | 'byPart' | 'cpuPercent' | 'processPercent'> {
    const window = this.window();
    if (window === undefined) return { seconds: 0, byPart: {} };
    const { elapsedMs, processMs, requests, byPart } = window;
    let total = 0;
    let ofRequests = 0;
    const perRequest = (ms: number): { microsecondsPerRequest?: number } =>
      requests > 0 ? { microsecondsPerRequest: round((ms * 1000) / requests) } : {};
    const parts: [string, OverheadPart][] = [];
    for (const [part, ms] of byPart) {
      total += ms;
      if (!FIXED.has(part)) ofRequests += ms;
      if (ms === 0) continue;
      parts.push([part, { cpuPercent: percent(ms, elapsedMs), ...(FIXED.has(part) ? {} : perRequest(ms)) }]);
    }
    return {
      seconds: Math.round(elapsedMs / 1000),
      cpuPercent: percent(total, elapsedMs),
      ...(processMs > 0 ? { processPercent: percent(total, processMs) } : {}),
      ...perRequest(ofRequests),
      byPart: Object.fromEntries(parts),
    };
  }

  /** The differences within the window; undefined with less than two readings. */
  private window():
    | { elapsedMs: number; processMs: number; requests: number; byPart: Map<string, number> }
    | undefined {
    const first = this.readings[0];
    const last = this.readings.at(-1);
    if (first === undefined || last === undefined || last.at <= first.at) return undefined;
    const byPart = new Map<string, number>();
    for (const [part, ms] of last.byPart) byPart.set(part, Math.max(0, ms - (first.byPart.get(part) ?? 0)));
    return {
      elapsedMs: last.at - first.at,
      processMs: last.processMs - first.processMs,
      requests: last.requests - first.requests,
      byPart,
    };
  }

  private stepCpu(): void {
    const { dependencies, ladder, options } = this;
    const { cpuPercent, byPart } = this.cpu();
    if (cpuPercent === undefined) return;
    const costs: PartCosts = Object.fromEntries(
      SHEDDABLE.filter((part) => dependencies.runs(part)).map((part) => [
        part,
        byPart[part]?.cpuPercent ?? 0,
      ]),
    );
    // Nothing of it could pause, and it is an estimate.
    const comparable = round(cpuPercent - (byPart['context']?.cpuPercent ?? 0));
    const change = ladder.step(comparable, costs);
    if (change === undefined) return;
    if (change === 'exhausted') {
      this.say(`${took(comparable, options)}, ${above(options)}. Nothing is left that could pause.`);
      return;
    }
    const isPaused = change.state === 'paused';
    const bit = bitOf(change.part);
    dependencies.shedding.bits = isPaused
      ? dependencies.shedding.bits | bit
      : dependencies.shedding.bits & ~bit;
    dependencies.changed(change.part, isPaused);
    this.say(cpuMessage(change, comparable, options));
  }

  private stepMemory(): void {
    const change = this.dependencies.memory.step();
    if (change !== undefined) this.say(memoryMessage(change, this.options));
  }

  /** The log of the application may throw. */
  private say(message: string): void {
    try {
      this.log?.(message);
    } catch (error) {
      reportFault('a message about the own cost could not be logged', error);
    }
  }
}

function percent(part: number, whole: number): number {
  return round((part / whole) * 100);
}

function cpuMessage(
  { part, state }: LadderChange,
  cpuPercent: number,
  options: ResolvedOverheadOptions,
): string {
  const what = `${WORDS[part]} (${part})`;
  return state === 'paused'
    ? `${took(cpuPercent, options)}, ${above(options)}: it pauses ${what}. Operations are still counted.`
    : `${took(cpuPercent, options)}, which leaves room below overhead.maxCpuPercent (${options.maxCpuPercent}): it resumes ${what}.`;
}

function took(cpuPercent: number, { windowSeconds }: ResolvedOverheadOptions): string {
  return `nestjs-performance took ${cpuPercent} % of a core in the last ${windowSeconds} s`;
}

function above({ maxCpuPercent }: ResolvedOverheadOptions): string {
  return `more than overhead.maxCpuPercent (${maxCpuPercent})`;
}

function memoryMessage(
  { part, state, bytes }: MemoryChange,
  { maxMemoryMb }: ResolvedOverheadOptions,
): string {
  const holds = `nestjs-performance holds ${round(bytes / MB)} MB`;
  return state === 'reduced'
    ? `${holds}, more than overhead.maxMemoryMb (${maxMemoryMb}): it keeps less of ${part}.`
    : `${holds}, which leaves room below overhead.maxMemoryMb (${maxMemoryMb}): it keeps all of ${part} again.`;
}
