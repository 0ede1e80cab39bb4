import { describe, expect, it } from '@jest/globals';
import { type Observation, severityOf } from '../../lib/explain/finding.js';
import { Findings } from '../../lib/explain/findings.js';

const seen = (more: Partial<Observation> = {}): Observation => ({
  type: 'n_plus_one',
  fingerprint: 'select * from track where album_id = ?',
  route: 'GET /albums',
  repetitions: 50,
  ms: 100,
  traceId: 't',
  spanId: 's',
  explanation: 'because',
  ...more,
});
const rethrow = (error: unknown): never => {
  throw error;
};

describe('Findings', () => {
  it('merges equal observations, with their count, total and worst time', () => {
    const findings = new Findings(10, rethrow);
    findings.observe(seen(), undefined, 1000);
    findings.observe(seen({ ms: 300, repetitions: 70, traceId: 'u' }), undefined, 2000);
    findings.observe(seen({ ms: 50 }), undefined, 3000);
    expect(findings.list()).toMatchObject([
      {
        count: 3,
        repetitions: 50,
        totalMs: 450,
        worstMs: 300,
        firstSeen: 1000,
        lastSeen: 3000,
        severity: 'warning',
      },
    ]);
  });

  it('separates observations by type, fingerprint and route', () => {
    const findings = new Findings(10, rethrow);
    for (const more of [
      {},
      { route: 'GET /b' },
      { fingerprint: 'q' },
      { type: 'duplicate_queries' as const },
    ])
      findings.observe(seen(more), undefined, 0);
    expect(new Set(findings.list().map(({ id }) => id)).size).toBe(4);
  });

  it('never becomes less severe, and keeps a known call site', () => {
    const findings = new Findings(10, rethrow);
    const callSite = { function: 'A.b', file: 'a.ts', line: 1, column: 1 };
    findings.observe(seen({ ms: 1500 }), callSite, 0);
    findings.observe(seen({ ms: 10 }), undefined, 0);
    expect(findings.list()).toMatchObject([{ severity: 'critical', callSite }]);
    findings.observe(seen({ ms: 10, route: 'other' }), undefined, 0);
    expect(findings.list()[1]?.severity).toBe('info');
  });

  it('drops the finding that was seen least recently beyond its limit', () => {
    const findings = new Findings(3, rethrow);
    for (const route of ['a', 'b', 'c']) findings.observe(seen({ route }), undefined, 0);
    findings.observe(seen({ route: 'a' }), undefined, 1);
    findings.observe(seen({ route: 'd' }), undefined, 2);
    expect(findings.list().map(({ route }) => route)).toEqual(['a', 'c', 'd']);
  });

  it('lists copies, by type and limit, those with the most excess time first', () => {
    const findings = new Findings(10, rethrow);
    findings.observe(seen({ route: 'short', ms: 1 }), undefined, 0);
    findings.observe(seen({ route: 'long', ms: 9 }), undefined, 0);
    findings.observe(seen({ route: 'other', ms: 5, type: 'event_loop_block' }), undefined, 0);
    expect(findings.list({ limit: 2 }).map(({ route }) => route)).toEqual(['long', 'other']);
    const [block] = findings.list({ type: 'event_loop_block' });
    if (block !== undefined) block.route = 'changed';
    expect(findings.get(block?.id ?? '')?.route).toBe('other');
    expect(findings.get('none')).toBeUndefined();
  });

  it('notifies listeners once, then at each power of ten and when the severity rises', async () => {
    const findings = new Findings(10, rethrow);
    const heard: [number, string][] = [];
    findings.on(({ count, severity }) => heard.push([count, severity]));
    for (let time = 1; time <= 120; time++)
      findings.observe(seen({ ms: time === 50 ? 2000 : 100 }), undefined, time);
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toEqual([
      [1, 'warning'],
      [10, 'warning'],
      [50, 'critical'],
      [100, 'critical'],
    ]);
  });

  it('notifies listeners of each state of a change over time', async () => {
    const findings = new Findings(10, rethrow);
    const heard: number[] = [];
    findings.on(({ count }) => heard.push(count));
    for (const type of ['regression', 'trend', 'memory_leak'] as const)
      for (let time = 0; time < 3; time++) findings.observe(seen({ type }), undefined, time);
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3]);
  });

  it('rates by time, repetitions and rows, whichever is worst', () => {
    expect(severityOf(49)).toBe('info');
    expect(severityOf(49, 19, 999)).toBe('info');
    expect([severityOf(50), severityOf(1, 20), severityOf(1, 1, 1000)]).toEqual(Array(3).fill('warning'));
    expect([severityOf(1000), severityOf(1, 200), severityOf(1, 1, 50_000)]).toEqual(
      Array(3).fill('critical'),
    );
  });

  it('notifies listeners, and catches their errors', async () => {
    const errors: unknown[] = [];
    const findings = new Findings(10, (error) => errors.push(error));
    const heard: number[] = [];
    findings.on(() => {
      throw new Error('a listener');
    });
    const off = findings.on(({ count }) => heard.push(count));
    findings.observe(seen(), undefined, 0);
    findings.observe(seen({ route: 'other' }), undefined, 0);
    await new Promise((resolve) => setImmediate(resolve));
    off();
    findings.observe(seen({ route: 'a third' }), undefined, 0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toEqual([1, 1]);
    // Of consecutive failures, the first.
    expect(errors).toEqual([new Error('a listener')]);
  });
});
