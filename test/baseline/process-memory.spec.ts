import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { decodeSnapshot, encodeSnapshot } from '../../lib/baseline/baseline-format.js';
import { mergeSnapshots } from '../../lib/baseline/baseline-merge.js';
import { planTidy } from '../../lib/baseline/baseline-tidy.js';
import { MemoryRecorder } from '../../lib/baseline/memory-recorder.js';
import {
  AGES,
  MAX_PROCESSES,
  ProcessMemory,
  rangeOfAge,
  SLOT_MS,
  slotsOfAge,
} from '../../lib/baseline/process-memory.js';
import { MB, memoryOf } from './programs/process-memories.js';
import { DAY, HOUR, MINUTE, START } from './programs/simulated-windows.js';
import { snapshot } from './programs/snapshots.js';

const OPTIONS = { at: START + DAY, halfLifeMs: DAY };

/** Adds a reading every ten seconds. */
function record(
  recorder: MemoryRecorder,
  { from = 0, minutes, heapMb = 50 }: { from?: number; minutes: number; heapMb?: number },
): void {
  for (let at = from * MINUTE; at <= (from + minutes) * MINUTE; at += 10_000)
    recorder.add({ at: START + at, heapUsed: heapMb * MB, rss: 100 * MB }, () => at / 1000);
}

/** The numbers of processes that have something of an age. */
function known(memory: ProcessMemory, age: number): number {
  return memory.list().filter((process) => process[age] !== undefined).length;
}

describe('ProcessMemory', () => {
  it('has two ages to an octave, one after the other', () => {
    expect([0, 1, 2, 3, 4].map((age) => rangeOfAge(age).to / MINUTE)).toEqual([15, 20, 30, 40, 60]);
    for (let age = 1; age < AGES; age++) expect(rangeOfAge(age).from).toBe(rangeOfAge(age - 1).to);
    expect(rangeOfAge(0).from).toBe(10 * MINUTE);
    expect(rangeOfAge(AGES - 1).to).toBeGreaterThan(50 * DAY);
    const memory = new ProcessMemory();
    const slots = rangeOfAge(7).to / SLOT_MS;
    for (let slot = 0; slot < slots; slot++) memory.add(1, START, slot, { heap: MB, rss: MB }, 1);
    const [process] = memory.list();
    expect(process?.slice(0, 8).map((one) => one?.heap?.n)).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map(slotsOfAge));
    expect(process?.slice(8).every((one) => one === undefined)).toBe(true);
    memory.add(1, START, 2 ** 20, { heap: MB, rss: MB }, 1);
    expect(memory.list()[0]?.filter((one) => one !== undefined)).toHaveLength(8);
  });

  it('keeps the processes that ran longest, and each of them once', () => {
    const merged = new ProcessMemory();
    for (let id = 0; id < 2 * MAX_PROCESSES; id++) {
      const one = new ProcessMemory();
      for (let slot = 2; slot < 4 + (id % 2) * 4; slot++) one.add(id, START, slot, { heap: MB, rss: MB }, 1);
      merged.merge(one);
      merged.merge(ProcessMemory.fromBytes(one.toBytes()));
    }
    expect(merged.list()).toHaveLength(MAX_PROCESSES);
    expect(known(merged, 2)).toBe(MAX_PROCESSES);
    expect(merged.toBytes().length).toBeLessThan(32 * 1024);
    // The same process, saved earlier and later.
    const [early, late] = [2, 6].map((slots) => {
      const one = new ProcessMemory();
      for (let slot = 2; slot < 2 + slots; slot++) one.add(7, START, slot, { heap: MB, rss: MB }, 1);
      return one;
    }) as [ProcessMemory, ProcessMemory];
    for (const order of [
      [early, late],
      [late, early],
    ]) {
      const both = new ProcessMemory();
      for (const one of order) both.merge(one);
      expect(both.list()).toHaveLength(1);
      expect(known(both, 2)).toBe(1);
    }
  });

  it('rejects bytes that are not its own', () => {
    const bytes = memoryOf({ startedAt: START, minutes: 60, processes: 2 });
    expect(ProcessMemory.fromBytes(bytes).toBytes()).toEqual(bytes);
    const changed = (at: number, value: number): Uint8Array => {
      const copy = bytes.slice();
      new DataView(copy.buffer).setFloat32(1 + at * 4, value, true);
      return copy;
    };
    expect(() => ProcessMemory.fromBytes(new Uint8Array(0))).toThrow('expected 80');
    expect(() => ProcessMemory.fromBytes(bytes.subarray(0, -1))).toThrow('Invalid memory');
    expect(() => ProcessMemory.fromBytes(changed(0, Number.NaN))).toThrow('expected finite numbers');
    expect(() => ProcessMemory.fromBytes(changed(2, -1))).toThrow('received -1, expected 0 or more');
    expect(() => ProcessMemory.fromBytes(changed(3, 2))).toThrow('received 2 slots, expected at most 1');
    expect(() => ProcessMemory.fromBytes(changed(4, 900))).toThrow('received 900, expected at most 64');
    const many = new Uint8Array(1 + (MAX_PROCESSES + 1) * ((bytes.length - 1) / 2));
    many[0] = 80;
    expect(() => ProcessMemory.fromBytes(many)).toThrow('received 33 processes, expected at most 32');
  });
});

describe('MemoryRecorder', () => {
  it('records the lowest reading of each five minutes, and what was executed in them', () => {
    const recorder = new MemoryRecorder(START, 0);
    record(recorder, { minutes: 12 });
    recorder.add({ at: START + 12.1 * MINUTE, heapUsed: 30 * MB, rss: 90 * MB }, () => 0);
    recorder.add({ at: START + 12.2 * MINUTE, heapUsed: Number.NaN, rss: 95 * MB }, () => 0);
    expect(recorder.memory.isEmpty).toBe(true);
    expect(recorder.add({ at: START + 15 * MINUTE, heapUsed: 50 * MB, rss: 100 * MB }, () => 900)).toBe(true);
    const [first] = recorder.memory.list()[0] ?? [];
    expect(Math.exp(first?.heap?.mean ?? 0) / MB).toBeCloseTo(30, 3);
    expect(Math.exp(first?.rss?.mean ?? 0) / MB).toBeCloseTo(90, 3);
    expect(first?.load).toBeCloseTo(60, 5);
  });

  it('leaves out the warm-up, and slots without a collection', () => {
    const warm = new MemoryRecorder(START, 18 * MINUTE);
    record(warm, { minutes: 41 });
    expect(
      warm.memory
        .list()[0]
        ?.slice(0, 4)
        .map((one) => one?.rss?.n),
    ).toEqual([undefined, undefined, 2, 2]);
    const idle = new MemoryRecorder(START, 0);
    record(idle, { minutes: 41, heapMb: Number.NaN });
    expect(idle.memory.list()[0]?.[2]).toMatchObject({ rss: { n: 2 } });
    expect(idle.memory.list()[0]?.[2]).not.toHaveProperty('heap');
  });

  it('counts on when the statistics are reset', () => {
    const recorder = new MemoryRecorder(START, 0);
    const at = (minute: number, executions: number): void => {
      recorder.add({ at: START + minute * MINUTE, heapUsed: MB, rss: MB }, () => executions);
    };
    at(0, 0);
    at(10, 5000);
    at(15, 100);
    expect(recorder.memory.list()[0]?.[0]?.load).toBeCloseTo(20, 5);
  });
});

describe('stored memory', () => {
  it('is read as it was written, and missing in files of earlier releases', async () => {
    const memory = memoryOf({ startedAt: START, minutes: 60 });
    const text = await encodeSnapshot(snapshot({ memory }));
    expect(decodeSnapshot(text)).toEqual(snapshot({ memory }));
    expect(text.split('\n')[0]).toContain('"formatVersion":1');
    expect(decodeSnapshot(await encodeSnapshot(snapshot()))).not.toHaveProperty('memory');
    // Anyone who can write a file can write its checksum.
    const lines = text.split('\n');
    const withMemory = (value: unknown): string => {
      const header = JSON.stringify({ ...JSON.parse(lines[0] as string), memory: value });
      const whole = `${[header, ...lines.slice(1, -2)].join('\n')}\n`;
      const sha256 = createHash('sha256').update(whole).digest('hex');
      return `${whole}${JSON.stringify({ operations: 1, sha256 })}\n`;
    };
    for (const wrong of [7, {}, null, 'A'.repeat(200_000)])
      expect(() => decodeSnapshot(withMemory(wrong))).toThrow('invalid memory: received');
    const [merged] = mergeSnapshots([decodeSnapshot(withMemory('UAAA'))], OPTIONS);
    expect(merged?.operations.size).toBe(1);
    expect(merged).not.toHaveProperty('memory');
  });

  it('is merged over instances and into archives, a process once, without that of another format', () => {
    const [one, other] = [1, 2].map((seed) =>
      snapshot({
        instance: `host-${seed}-aa`,
        savedAt: START,
        memory: memoryOf({ startedAt: START - HOUR, minutes: 60, seed }),
      }),
    ) as [ReturnType<typeof snapshot>, ReturnType<typeof snapshot>];
    const copy = { ...one, instance: 'host-3-cc' };
    const foreign = snapshot({ instance: 'host-4-dd', memory: new Uint8Array([81, 1, 2]) });
    const [merged] = mergeSnapshots([one, other, copy, foreign], OPTIONS);
    expect(ProcessMemory.fromBytes(merged?.memory as Uint8Array).list()).toHaveLength(2);
    const { archives } = planTidy([one, other], {
      now: START + 10 * HOUR,
      staleMs: HOUR,
      maxAgeMs: 30 * DAY,
      halfLifeMs: DAY,
      maxVersions: 5,
    });
    expect(archives[0]?.memory).toEqual(mergeSnapshots([one, other], OPTIONS)[0]?.memory);
    expect(mergeSnapshots([foreign], OPTIONS)[0]).not.toHaveProperty('memory');
  });
});
