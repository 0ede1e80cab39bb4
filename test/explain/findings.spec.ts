import { describe, expect, it } from '@jest/globals';
import type { Observation } from '../../lib/explain/finding.js';
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

  it('notifies listeners, and catches their errors', async () => {
    const errors: unknown[] = [];
    const findings = new Findings(10, (error) => errors.push(error));
    const heard: number[] = [];
    findings.on(() => {
      throw new Error('a listener');
    });
    const off = findings.on(({ count }) => heard.push(count));
    findings.observe(seen(), undefined, 0);
    findings.observe(seen(), undefined, 0);
    await new Promise((resolve) => setImmediate(resolve));
    off();
    findings.observe(seen(), undefined, 0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toEqual([1, 2]);
    expect(errors).toHaveLength(3);
  });
});
