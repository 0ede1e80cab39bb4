import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_INSTANCES } from '../../lib/fleet/fleet-store.js';
import { MAX_SUMMARY_BYTES } from '../../lib/fleet/instance-summary.js';
import { LastSeen } from '../../lib/fleet/last-seen.js';
import { decodeSummary, SummaryFault } from '../../lib/fleet/summary-format.js';
import { counted, mapStore, observed, simulated, slowOperation } from './simulated-instance.js';

const keyOf = (name: string): string => `nestjs-performance:fleet:shop:of:${name}-1-0123456789ab`;

/** A valid summary as text. */
async function published(): Promise<{ store: ReturnType<typeof mapStore>; text: string }> {
  const store = mapStore();
  const one = simulated('one', { store });
  counted(one, 'GET /', [1, 20, 300, 950]);
  observed(one);
  one.slow.add(slowOperation('a1'));
  await one.fleet.publish();
  return { store, text: String(store.values.get(keyOf('one'))) };
}

/** The text with a change of what it says. */
function changed(text: string, change: (value: Record<string, unknown>) => void): string {
  const value = JSON.parse(text);
  change(value);
  return JSON.stringify(value);
}

// biome-ignore lint/suspicious/noExplicitAny: any value may be replaced.
type Change = (value: any) => void;
const HOSTILE: readonly [string, Change][] = [
  ['another format', (value) => Object.assign(value, { format: 'x' })],
  ['a newer format', (value) => Object.assign(value, { formatVersion: 2 })],
  ['another service', (value) => Object.assign(value, { service: 'stock' })],
  ['the key of another instance', (value) => Object.assign(value, { key: 'two-1-0123456789ab' })],
  ['a key that is a path', (value) => Object.assign(value, { key: '../../etc/passwd' })],
  ['no process', (value) => Object.assign(value, { process: null })],
  [
    'a process of texts',
    (value) => Object.assign(value, { process: { rssMb: '1', heapUsedMb: 1, heapLimitMb: 1 } }),
  ],
  ['a negative time', (value) => Object.assign(value, { startedAt: -1 })],
  ['a time that is no date', (value) => Object.assign(value, { startedAt: 1e300 })],
  [
    'a finding at a time that is no date',
    (value) => Object.assign(value['findings'][0], { lastSeen: 8.65e15 }),
  ],
  ['findings of another kind', (value) => Object.assign(value, { findings: [{ id: 'x' }] })],
  [
    'too many findings',
    (value) => Object.assign(value, { findings: Array(31).fill(value['findings']?.[0]) }),
  ],
  ['a slow operation without a cause', (value) => Object.assign(value, { slow: [{ id: 'x' }] })],
  ['operations that are no list', (value) => Object.assign(value, { operations: { length: 3 } })],
  ['an operation of nothing', (value) => Object.assign(value, { operations: [null] })],
  ['figures without a sketch', (value) => Object.assign(value, { types: [['http', [], []]] })],
  ['a count that its sketch does not have', (value) => ((value['types'][0][1] as number[])[0] = 1e9)],
  ['a sketch of nonsense', (value) => ((value['types'][0][1] as unknown[])[8] = 'AAECAwQFBgcICQ==')],
  ['a sketch that is too long', (value) => ((value['types'][0][1] as unknown[])[8] = 'A'.repeat(8200))],
  ['too many bytes', (value) => Object.assign(value, { more: 'ü'.repeat(40_000) })],
  ['a negative total', (value) => ((value['operations'][0][4] as number[])[5] = -5)],
];

describe('an entry of the store', () => {
  it.each(HOSTILE)('is ignored and counted with %s', async (_, change) => {
    const { store, text } = await published();
    store.values.set(keyOf('one'), changed(text, change));
    const view = await simulated('reader', { store }).fleet.view();
    expect(view.ignored).toBe(1);
    expect(view.instances.map(({ id }) => id)).toEqual(['reader']);
    expect(view.operations).toEqual([]);
  });

  it.each([
    ['that is not text', 5],
    ['that is not JSON', 'nonsense'],
    ['that is null', 'null'],
    ['that is too long', `{"a":"${'x'.repeat(MAX_SUMMARY_BYTES)}"}`],
    ['with thousands of levels', '['.repeat(30_000) + ']'.repeat(30_000)],
  ])('is ignored and counted %s', async (_, value) => {
    const { store } = await published();
    store.values.set(keyOf('one'), value);
    expect(await simulated('reader', { store }).fleet.view()).toMatchObject({
      ignored: 1,
      store: { kind: 'shared' },
    });
  });

  it('with numbers that are no numbers, or levels within, is ignored', async () => {
    const { text } = await published();
    const infinite = text.replace(/"worstMs":[\d.]+/, '"worstMs":1e999');
    expect(infinite).not.toBe(text);
    expect(() => decodeSummary(infinite)).toThrow(SummaryFault);
    const deep = text.replace('"traceId":', `"more":${'['.repeat(9000)}${']'.repeat(9000)},"traceId":`);
    expect(() => decodeSummary(deep)).toThrow(SummaryFault);
    expect(decodeSummary(text).findings).toHaveLength(1);
  });

  it('passes on nothing that is not known of an instance', async () => {
    const { text } = await published();
    const more = changed(text, (value) => Object.assign(value, { more: 'x', constructor: 'y' }));
    expect(Object.keys(decodeSummary(more))).toEqual(Object.keys(decodeSummary(text)));
    expect(decodeSummary(more.replace('"more"', '"__proto__"'))).toEqual(decodeSummary(text));
  });

  it('cannot say by a field that is not known what other fields say, at any level', async () => {
    const { store, text } = await published();
    const two = simulated('two', { store });
    observed(two);
    await two.fleet.publish();
    const hostile = changed(text, (value: Parameters<Change>[0]) => {
      Object.assign(value.process, { host: 5, id: 'x', version: {}, state: 'lost', self: true });
      Object.assign(value.findings[0], { on: null, instances: 'x', lastSeen: Date.now() + 60_000 });
      Object.assign(value.slow[0], { instance: 5, more: 'x' });
      value.findings[0].error = { class: 'Error', message: 'x', more: 'x' };
    });
    store.values.set(keyOf('one'), hostile);
    const view = await simulated('reader', { store }).fleet.view();
    expect(view.ignored).toBe(0);
    const one = view.instances.find(({ id }) => id === 'one');
    expect(one).toMatchObject({ host: 'host', state: 'live' });
    expect(one).not.toHaveProperty('self');
    expect(one).not.toHaveProperty('version');
    expect(view.findings).toEqual([
      expect.objectContaining({ on: expect.arrayContaining(['one', 'two']), instances: 2 }),
    ]);
    expect(view.findings[0]?.error).toEqual({ class: 'Error', message: 'x' });
    expect(view.slow).toEqual([expect.objectContaining({ id: 'a1', instance: 'one' })]);
    expect(view.slow[0]).not.toHaveProperty('more');
  });

  it('changes no prototype', async () => {
    const { text } = await published();
    const hostile = text.replace('"worstMs":', '"__proto__":{"severity":"x"},"worstMs":');
    expect(hostile).not.toBe(text);
    const [finding = {}] = decodeSummary(hostile).findings;
    expect(Object.hasOwn(finding, '__proto__')).toBe(false);
  });

  it.each([
    ['the type of a finding', (value) => Object.assign(value.findings[0], { type: 'of_a_later_release' })],
    ['a severity', (value) => Object.assign(value.findings[0], { severity: 'of_a_later_release' })],
    ['a cause', (value) => Object.assign(value.slow[0], { cause: 'of_a_later_release' })],
  ] satisfies [string, Change][])(
    'of a later release is shown without what has %s that is not known',
    async (what, change) => {
      const { store, text } = await published();
      store.values.set(keyOf('one'), changed(text, change));
      const view = await simulated('reader', { store }).fleet.view();
      expect(view.ignored).toBe(0);
      expect(view.instances.map(({ id }) => id).sort()).toEqual(['one', 'reader']);
      expect(view.operations).toHaveLength(1);
      expect(view.findings).toHaveLength(what === 'a cause' ? 1 : 0);
      expect(view.slow).toHaveLength(what === 'a cause' ? 0 : 1);
    },
  );

  it('whatever it is, throws nothing but a fault', async () => {
    const { text } = await published();
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(40), fc.string({ maxLength: 40 }), (at, cut, put) => {
        try {
          decodeSummary(text.slice(0, at) + put + text.slice(at + cut));
        } catch (error) {
          expect(error).toBeInstanceOf(SummaryFault);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('whose list is damaged is entered again', async () => {
    const store = mapStore();
    const one = simulated('one', { store });
    await one.fleet.publish();
    for (const key of store.values.keys())
      if (key.includes(':list:')) store.values.set(key, '[{"instance":1}]');
    expect((await simulated('reader', { store }).fleet.view()).instances).toHaveLength(1);
    await one.fleet.publish();
    expect((await simulated('reader', { store }).fleet.view()).instances).toHaveLength(2);
  });
});

describe('limits', () => {
  it('hold for the summary of an instance, whatever it has', async () => {
    const store = mapStore();
    const one = simulated('one', { store });
    const long = 'ü'.repeat(250);
    for (let route = 0; route < 300; route++)
      counted(
        one,
        `GET /${route}/${long}`,
        Array.from({ length: 60 }, (_, index) => 1.3 ** (index / 2) + route),
      );
    for (let finding = 0; finding < 60; finding++)
      observed(one, { fingerprint: `${finding} ${long.repeat(20)}`, explanation: long.repeat(20) });
    await one.fleet.publish();
    const text = String(store.values.get(keyOf('one')));
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_SUMMARY_BYTES);
    const { operations, findings, operationCount } = decodeSummary(text);
    expect(operations.length).toBeGreaterThan(10);
    expect(findings.length).toBeGreaterThan(5);
    expect(operationCount).toBe(300);
    expect(one.warnings).toEqual([]);
  });

  it('hold for the number of instances, which says how many are omitted', async () => {
    const store = mapStore();
    for (let index = 0; index < MAX_INSTANCES + 5; index++)
      await simulated(`i${index}`, { store }).fleet.publish();
    const view = await simulated('reader', { store }).fleet.view();
    expect(view.instances).toHaveLength(MAX_INSTANCES + 1);
    expect(view.omitted).toBe(5);
  });
});

describe('when an instance was last seen', () => {
  const summary = (more: object): never =>
    ({ key: 'one', sequence: 1, startedAt: 0, publishedAt: 0, intervalMs: 5000, ...more }) as never;
  const stateOf = (seen: LastSeen, one: never, now: number, looking = 2000): object | undefined =>
    seen.update([one], now, looking).get(one);

  it('is lost after four intervals, and not listed after ten minutes', () => {
    const seen = new LastSeen();
    const one = summary({ publishedAt: 100_000 });
    expect(stateOf(seen, one, 119_000)).toEqual({ lastSeen: 100_000, isLost: false, isExpired: false });
    expect(stateOf(seen, one, 121_000)).toEqual({ lastSeen: 100_000, isLost: true, isExpired: false });
    expect(stateOf(seen, one, 701_000)).toEqual({ lastSeen: 100_000, isLost: true, isExpired: true });
  });

  it('does not depend on its clock, once it was seen to change', () => {
    const seen = new LastSeen();
    const slow = (sequence: number): never => summary({ publishedAt: 1000 + sequence, sequence });
    expect(stateOf(seen, slow(1), 3_600_000)).toMatchObject({ isLost: true, isExpired: true });
    expect(stateOf(seen, slow(2), 3_602_000)).toEqual({
      lastSeen: 3_602_000,
      isLost: false,
      isExpired: false,
    });
    expect(stateOf(seen, slow(2), 3_625_000)).toMatchObject({ isLost: true });
    const fast = (sequence: number): never =>
      summary({ key: 'two', publishedAt: 9_000_000 + sequence, sequence });
    expect(stateOf(seen, fast(1), 3_600_000)).toMatchObject({ isLost: false });
    expect(stateOf(seen, fast(1), 3_621_000)).toMatchObject({ isLost: true });
  });

  it('is the time within it, if nobody has looked for long', () => {
    const seen = new LastSeen();
    stateOf(seen, summary({ publishedAt: 100_000 }), 100_000);
    const later = summary({ publishedAt: 200_000, sequence: 5 });
    expect(stateOf(seen, later, 300_000, 200_000)).toMatchObject({ lastSeen: 200_000, isLost: true });
  });

  it('counts at most a minute as its interval', () => {
    const seen = new LastSeen();
    expect(stateOf(seen, summary({ intervalMs: 1e12 }), 241_000)).toMatchObject({ isLost: true });
  });
});
