import { describe, expect, it } from '@jest/globals';
import { MemoryBudget } from '../../lib/overhead/memory-budget.js';
import { Overhead } from '../../lib/overhead/overhead.js';
import type { CostReading, OwnCost } from '../../lib/overhead/own-cost.js';
import { EXPLAINING, type SheddablePart } from '../../lib/overhead/sheddable.js';

/** A process of which each second costs the same. */
class Simulated {
  at = 0;
  /** Milliseconds a second. */
  perSecond: Record<string, number> = {};
  requestsPerSecond = 0;
  heldMb = 1;
  readonly shedding = { bits: 0 };
  readonly changes: [SheddablePart, boolean][] = [];
  readonly said: string[] = [];
  private readonly spent = new Map<string, number>();
  private requests = 0;
  readonly overhead: Overhead;

  constructor(options: { maxCpuPercent?: number; maxMemoryMb?: number; startWindows?: number } = {}) {
    const cost = { read: (): CostReading => this.read() } as OwnCost;
    const held = {
      name: 'profiles',
      bytes: () => this.heldMb * 1024 * 1024,
      entries: () => 5,
      shrink: () => {
        this.heldMb /= 2;
      },
      restore: () => {},
    };
    const { maxCpuPercent = 3, maxMemoryMb = 64, startWindows = 0 } = options;
    this.overhead = new Overhead(
      { maxCpuPercent, maxMemoryMb, windowSeconds: 10 },
      {
        cost,
        memory: new MemoryBudget(maxMemoryMb * 1024 * 1024, [held]),
        shedding: this.shedding,
        runs: (part) => part !== 'profiling',
        changed: (part, isPaused) => this.changes.push([part, isPaused]),
        measuredOneOf: () => 8,
        startWindows,
      },
    );
    this.overhead.log = (message) => this.said.push(message);
    this.overhead.tick(0);
  }

  run(seconds: number): void {
    for (let quarter = 1; quarter <= seconds * 4; quarter++) {
      this.at += 250;
      for (const [part, ms] of Object.entries(this.perSecond))
        this.spent.set(part, (this.spent.get(part) ?? 0) + ms / 4);
      this.requests += this.requestsPerSecond / 4;
      this.overhead.tick(this.at);
    }
  }

  private read(): CostReading {
    return { at: this.at, processMs: this.at / 2, requests: this.requests, byPart: new Map(this.spent) };
  }
}

describe('the overhead', () => {
  it('has no figures before it has measured', () => {
    const { overhead } = new Simulated();
    expect(overhead.status).toEqual({
      seconds: 0,
      byPart: {},
      maxCpuPercent: 3,
      measuredOneOf: 8,
      shed: [],
      memory: {
        bytes: 1024 * 1024,
        maxBytes: 64 * 1024 * 1024,
        byPart: { profiles: { bytes: 1024 * 1024, entries: 5, reduced: false } },
      },
    });
  });

  it('is the CPU time within the window, as share of a core and of the process, and for each request', () => {
    const process = new Simulated();
    process.perSecond = { spans: 500 };
    process.requestsPerSecond = 1;
    process.run(60);
    process.perSecond = { spans: 8, timers: 2 };
    process.requestsPerSecond = 100;
    process.run(12);
    expect(process.overhead.status).toMatchObject({
      seconds: 10,
      cpuPercent: 1,
      processPercent: 2,
      microsecondsPerRequest: 80,
      byPart: { spans: { cpuPercent: 0.8, microsecondsPerRequest: 80 }, timers: { cpuPercent: 0.2 } },
    });
    expect(process.overhead.status.byPart['timers']).not.toHaveProperty('microsecondsPerRequest');
  });

  it('pauses one part a window, says so once, and resumes it', () => {
    const process = new Simulated();
    process.perSecond = { explaining: 30, spans: 10 };
    process.run(11);
    expect(process.changes).toEqual([['explaining', true]]);
    expect(process.shedding.bits).toBe(EXPLAINING);
    expect(process.overhead.status.shed).toEqual(['explaining']);
    process.perSecond = { spans: 10 };
    process.run(100);
    expect(process.said).toEqual([
      'nestjs-performance took 4 % of a core in the last 10 s, more than overhead.maxCpuPercent (3): it pauses explanations (explaining). Operations are still counted.',
    ]);
    process.perSecond = { spans: 3 };
    process.run(35);
    expect(process.shedding.bits).toBe(0);
    expect(process.overhead.status.shed).toEqual([]);
    expect(process.changes).toEqual([
      ['explaining', true],
      ['explaining', false],
    ]);
    expect(process.said).toHaveLength(2);
    expect(process.said[1]).toContain('it resumes explanations (explaining)');
  });

  it('pauses nothing in the first window after the start', () => {
    const process = new Simulated({ startWindows: 1 });
    process.perSecond = { explaining: 50 };
    process.run(11);
    expect(process.changes).toEqual([]);
    process.run(10);
    expect(process.changes).toEqual([['explaining', true]]);
  });

  it('pauses nothing for the estimate of what contexts cost', () => {
    const process = new Simulated();
    process.perSecond = { context: 50, explaining: 20 };
    process.run(100);
    expect(process.overhead.status).toMatchObject({ cpuPercent: 7, shed: [] });
    process.perSecond = { context: 50, explaining: 31 };
    process.run(11);
    expect(process.said).toEqual([
      'nestjs-performance took 3.1 % of a core in the last 10 s, more than overhead.maxCpuPercent (3): it pauses explanations (explaining). Operations are still counted.',
    ]);
  });

  it('pauses no part that does not run, and says once that nothing is left', () => {
    const process = new Simulated();
    process.perSecond = { profiling: 50, spans: 10 };
    process.run(100);
    expect(process.changes).toEqual([]);
    expect(process.said).toEqual([
      'nestjs-performance took 6 % of a core in the last 10 s, more than overhead.maxCpuPercent (3). Nothing is left that could pause.',
    ]);
  });

  it('keeps memory within its budget by the same steps', () => {
    const process = new Simulated({ maxMemoryMb: 8 });
    process.heldMb = 20;
    process.run(50);
    expect(process.heldMb).toBe(5);
    expect(process.overhead.status).toMatchObject({ shed: ['profiles'], memory: { bytes: 5 * 1024 * 1024 } });
    process.heldMb = 2;
    process.run(40);
    expect(process.overhead.status.shed).toEqual([]);
    expect(process.said).toEqual([
      'nestjs-performance holds 20 MB, more than overhead.maxMemoryMb (8): it keeps less of profiles.',
      'nestjs-performance holds 2 MB, which leaves room below overhead.maxMemoryMb (8): it keeps all of profiles again.',
    ]);
  });

  it('survives a log that throws', () => {
    const process = new Simulated();
    process.overhead.log = () => {
      throw new Error('disk full');
    };
    process.perSecond = { explaining: 100 };
    expect(() => process.run(20)).not.toThrow();
    expect(process.overhead.status.shed).toEqual(['explaining']);
  });
});
