import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DetailedSlowOperation, SlowOperation } from '../../lib/explain/slow-operation.js';
import type { FleetStore } from '../../lib/fleet/fleet-store.js';
import { KeyvFleetStore } from '../../lib/fleet/keyv-fleet-store.js';
import { decodeSlow, encodeSlow } from '../../lib/fleet/slow-record.js';
import { SlowRecords } from '../../lib/fleet/slow-records.js';
import { mapStore, type SimulatedInstance, simulated, slowOperation } from './simulated-instance.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nestjs-performance-fleet-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const waterfall: NonNullable<DetailedSlowOperation['waterfall']> = {
  spans: [
    { name: 'GET /albums', type: 'http', startMs: 0, durationMs: 400, parent: -1 },
    { name: 'SELECT track', type: 'database', startMs: 5, durationMs: 20, parent: 0, error: true },
  ],
  omitted: 0,
};

const log: NonNullable<DetailedSlowOperation['log']> = {
  lines: [
    { level: 'warn', offsetMs: 12, context: 'Albums', message: 'slow' },
    { level: 'log', offsetMs: 13, message: 'done' },
  ],
  omitted: 3,
};

/** One that has `operation`, with its description in the store. */
async function publishing(
  where: Parameters<typeof simulated>[1],
  ...operations: DetailedSlowOperation[]
): Promise<SimulatedInstance> {
  const one = simulated('one', where);
  for (const operation of operations) one.slow.add(operation);
  await one.fleet.publish();
  expect(one.warnings).toEqual([]);
  return one;
}

describe.each(['a directory', 'a store'])('a slow operation of another instance, in %s', (kind) => {
  const place = (): Parameters<typeof simulated>[1] =>
    kind === 'a store' ? { store: mapStore() } : { directory: join(directory, 'fleet') };

  it('is listed and found, with all of its description', async () => {
    const where = place();
    const operation = slowOperation('b7ad6b7169203331', {
      waterfall,
      log,
      selfTimeMs: 3,
      http: { statusCode: 200 },
    });
    await publishing(where, operation);
    const { fleet } = simulated('reader', where);
    expect((await fleet.view()).slow).toEqual([
      {
        ...{ id: 'b7ad6b7169203331', instance: 'one', timestamp: operation.timestamp, type: 'http' },
        ...{ name: 'GET /albums', durationMs: 400, thresholdMs: 100, error: false, cause: 'cpu' },
        explanation: 'CPU work took 400 ms.',
      },
    ]);
    expect(await fleet.slowOperation('b7ad6b7169203331')).toEqual({ instance: 'one', operation });
    expect(await fleet.slowOperation('0000000000000000')).toBeUndefined();
    expect(await fleet.slowOperation('../../../../etc/passwd')).toBeUndefined();
    const other = simulated('reader', where, { service: 'stock' });
    expect(await other.fleet.slowOperation('b7ad6b7169203331')).toBeUndefined();
  });

  it('is written again when its description was completed', async () => {
    const where = place();
    const one = await publishing(where, slowOperation('b7ad6b7169203331'));
    one.slow.update('b7ad6b7169203331', { profile: 'p1', topFunctions: [{ function: 'hash', share: 1 }] });
    await one.fleet.publish();
    const { fleet } = simulated('reader', where);
    expect((await fleet.slowOperation('b7ad6b7169203331'))?.operation).toMatchObject({
      profile: 'p1',
      topFunctions: [{ function: 'hash', share: 1 }],
    });
  });

  it('makes room for newer ones: 20 of an instance, five with each summary', async () => {
    const where = place();
    const one = await publishing(where, ...Array.from({ length: 30 }, (_, at) => slowOperation(`a${at}`)));
    const { fleet } = simulated('reader', where);
    expect(await fleet.slowOperation('a29')).toBeDefined();
    expect(await fleet.slowOperation('a24')).toBeUndefined();
    for (let round = 0; round < 4; round++) await one.fleet.publish();
    expect(await fleet.slowOperation('a10')).toBeDefined();
    expect(await fleet.slowOperation('a9')).toBeUndefined();
    one.slow.add(slowOperation('b0'));
    await one.fleet.publish();
    expect(await fleet.slowOperation('b0')).toBeDefined();
    expect(await fleet.slowOperation('a10')).toBeUndefined();
    const { slow } = await simulated('late', where).fleet.view();
    expect(slow).toHaveLength(20);
    if (kind === 'a directory')
      expect((await readdir(join(directory, 'fleet'))).filter((name) => name.endsWith('.slow'))).toHaveLength(
        20,
      );
  });

  it('has no waterfall if it would be too long, and is not kept if it is even then', async () => {
    const where = place();
    const spans = Array.from({ length: 190 }, (_, at) => ({
      ...{ name: `${at} ${'ü'.repeat(400)}`, type: 'database', startMs: 0, durationMs: 1, parent: at - 1 },
    }));
    const long = slowOperation('a1', { waterfall: { spans, omitted: 0 } });
    await publishing(where, long, slowOperation('a2', { explanation: 'x'.repeat(70_000) }));
    const { fleet } = simulated('reader', where);
    const { waterfall: _none, ...rest } = long;
    expect((await fleet.slowOperation('a1'))?.operation).toEqual(rest);
    expect(await fleet.slowOperation('a2')).toBeUndefined();
  });
});

describe.each(['a directory', 'a store'])('the limit of a record in %s', (kind) => {
  it('is in bytes, both where it is written and where it is read', async () => {
    const where = kind === 'a store' ? { store: mapStore() } : { directory: join(directory, 'fleet') };
    const spans = Array.from({ length: 190 }, (_, at) => ({
      ...{ name: `${at} ${'ü'.repeat(200)}`, type: 'database', startMs: 0, durationMs: 1, parent: at - 1 },
    }));
    const long = slowOperation('a1', { waterfall: { spans, omitted: 0 } });
    await publishing(where, long, slowOperation('a2', { statement: 'ü'.repeat(40_000) }));
    const { fleet } = simulated('reader', where);
    const { waterfall: _none, ...rest } = long;
    expect((await fleet.slowOperation('a1'))?.operation).toEqual(rest);
    expect((await fleet.view()).slow.map(({ id }) => id)).toEqual(['a1']);
  });
});

describe('the log of a record', () => {
  const record = (log: unknown): string =>
    encodeSlow('shop', { instance: 'one', operation: slowOperation('a1', { log: log as never }) }) ?? '';
  const line = { level: 'log', offsetMs: 0, message: 'x' };

  it('has no more than is known of a line', () => {
    const encoded = record({ lines: [{ ...line, html: '<b>' }], omitted: 0, more: 1 });
    expect(decodeSlow('shop', 'a1', encoded)?.operation.log).toEqual({ lines: [line], omitted: 0 });
  });

  it('is left out after the waterfall where the record would be too long', () => {
    const long = {
      lines: Array.from({ length: 100 }, () => ({ ...line, message: 'ü'.repeat(500) })),
      omitted: 0,
    };
    const spans = [{ name: 'x', type: 'http', startMs: 0, durationMs: 1, parent: -1 }];
    const one = slowOperation('a1', {
      log: { ...long, lines: long.lines.slice(0, 50) },
      waterfall: { spans, omitted: 0 },
    });
    const whole = { instance: 'one', operation: one };
    expect(decodeSlow('shop', 'a1', encodeSlow('shop', whole))?.operation).toEqual(one);
    const without = encodeSlow('shop', { instance: 'one', operation: { ...one, log: long } });
    expect(decodeSlow('shop', 'a1', without)?.operation).toEqual(
      slowOperation('a1', { timestamp: one.timestamp }),
    );
  });

  it.each([
    ['too many lines', { lines: Array(101).fill(line), omitted: 0 }],
    ['lines that are no list', { lines: { length: 1 }, omitted: 0 }],
    ['a line that is a text', { lines: ['x'], omitted: 0 }],
    ['a message that is an object', { lines: [{ ...line, message: {} }], omitted: 0 }],
    ['a time that is no number', { lines: [{ ...line, offsetMs: '1' }], omitted: 0 }],
    ['a negative number of omitted lines', { lines: [line], omitted: -1 }],
    ['nothing', null],
  ])('is refused with %s', (_, log) => {
    expect(decodeSlow('shop', 'a1', record(log))).toBeUndefined();
  });
});

describe('the slow operations that an instance lists', () => {
  const hour = 3_600_000;
  const listed = (records: SlowRecords, now: number): string[] => records.heads(now).map(({ id }) => id);
  /** The records of an instance with these operations, the newest first, and how often each was looked up to be written. */
  const recordsOf = (store: FleetStore, operations: SlowOperation[]) => {
    const encoded: string[] = [];
    const records = new SlowRecords(
      store,
      'shop',
      { id: 'one' },
      {
        slowOperations: (limit) => operations.slice(0, limit),
        slowOperation: (id) => {
          encoded.push(id);
          return undefined;
        },
      },
    );
    return { records, encoded };
  };
  const tooLong = (id: string): SlowOperation => slowOperation(id, { statement: 'x'.repeat(70_000) });

  it('are those whose record has not expired', async () => {
    const operations = [slowOperation('a1')];
    const { records } = recordsOf(new KeyvFleetStore(mapStore(), 'shop'), operations);
    await records.write(1000);
    expect(listed(records, 1000 + hour / 2)).toEqual(['a1']);
    operations.unshift(slowOperation('a2'));
    await records.write(1000 + hour / 2);
    expect(listed(records, 1000 + hour)).toEqual(['a2']);
    await records.write(1000 + 2 * hour);
    expect(listed(records, 1000 + 2 * hour)).toEqual([]);
    operations[1] = slowOperation('a1', { profile: 'p1' });
    await records.write(1000 + 2 * hour);
    expect(listed(records, 1000 + 2 * hour)).toEqual(['a1']);
  });

  it('are those that could be encoded, which is tried once, and keeps no other from being written', async () => {
    const long = Array.from({ length: 8 }, (_, at) => tooLong(`long${at}`));
    const operations = [...long, slowOperation('a1')];
    const { records, encoded } = recordsOf(new KeyvFleetStore(mapStore(), 'shop'), operations);
    await records.write(1000);
    await records.write(2000);
    await records.write(3000);
    expect(listed(records, 3000)).toEqual(['a1']);
    expect(encoded.sort()).toEqual(['a1', ...long.map(({ id }) => id)]);
  });

  it('have the description that can be opened, if a later one cannot be encoded', async () => {
    const store = new KeyvFleetStore(mapStore(), 'shop');
    const operations = [slowOperation('a1')];
    const { records } = recordsOf(store, operations);
    await records.write(1000);
    operations[0] = { ...tooLong('a1'), explanation: 'Too long.' };
    await records.write(2000);
    expect(records.heads(2000)).toEqual([expect.objectContaining({ explanation: 'CPU work took 400 ms.' })]);
    expect(await store.find('a1')).toContain('CPU work took 400 ms.');
    operations.splice(0, 1);
    await records.write(3000);
    expect(listed(records, 3000)).toEqual([]);
    expect(await store.find('a1')).toBeUndefined();
  });

  it('are those that the store has accepted, which is tried again', async () => {
    const values = mapStore();
    const { set } = values;
    const { records } = recordsOf(new KeyvFleetStore(values, 'shop'), [slowOperation('a1')]);
    values.set = async () => false;
    await expect(records.write(1000)).rejects.toThrow('the store rejected it');
    expect(listed(records, 1000)).toEqual([]);
    values.set = set;
    await records.write(2000);
    expect(listed(records, 2000)).toEqual(['a1']);
  });
});

describe('a record of the store', () => {
  // biome-ignore lint/suspicious/noExplicitAny: any value may be replaced.
  const changes: [string, (record: any) => unknown][] = [
    ['another format', (record) => Object.assign(record, { formatVersion: 2 })],
    ['another service', (record) => Object.assign(record, { service: 'stock' })],
    ['the id of another operation', (record) => Object.assign(record.operation, { id: 'a2' })],
    ['no causes', (record) => delete record.operation.causes],
    ['a time that is no date', (record) => Object.assign(record.operation, { timestamp: 1e300 })],
    ['a duration that is text', (record) => Object.assign(record.operation, { durationMs: '400' })],
    [
      'a span that is its own parent',
      (record) => Object.assign(record.operation.waterfall.spans[1], { parent: 1 }),
    ],
    ['too many bytes', (record) => Object.assign(record.operation, { statement: 'ü'.repeat(40_000) })],
    ['a second root', (record) => Object.assign(record.operation.waterfall.spans[1], { parent: -1 })],
    [
      'too many spans',
      ({ operation: { waterfall: given } }) =>
        Object.assign(given, { spans: [...given.spans, ...Array(300).fill(given.spans[1])] }),
    ],
  ];
  const key = 'nestjs-performance:fleet:shop:slow:a1';

  it.each(changes)('is not shown with %s', async (_, change) => {
    const store = mapStore();
    await publishing({ store }, slowOperation('a1', { waterfall }));
    const record = JSON.parse(String(store.values.get(key)));
    const { fleet } = simulated('reader', { store });
    expect(await fleet.slowOperation('a1')).toBeDefined();
    change(record);
    store.values.set(key, JSON.stringify(record));
    expect(await fleet.slowOperation('a1')).toBeUndefined();
  });

  it.each([5, 'nonsense', '{}', '['.repeat(40_000), 'x'.repeat(70_000)])(
    'is not shown as %p',
    async (value) => {
      const store = mapStore();
      store.values.set(key, value);
      expect(await simulated('reader', { store }).fleet.slowOperation('a1')).toBeUndefined();
    },
  );

  it('passes on nothing that is not known of a slow operation', async () => {
    const store = mapStore();
    const more = { more: 'x' };
    const operation = slowOperation('a1', {
      ...more,
      http: { statusCode: 200, ...more },
      waterfall: { ...more, spans: [{ ...waterfall.spans[0], ...more }], omitted: 0 },
    } as never);
    await publishing({ store }, operation);
    const found = await simulated('reader', { store }).fleet.slowOperation('a1');
    expect(found?.operation).toEqual({
      ...slowOperation('a1'),
      timestamp: expect.any(Number),
      http: { statusCode: 200 },
      waterfall: { spans: [waterfall.spans[0]], omitted: 0 },
    });
  });
});
