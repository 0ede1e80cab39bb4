import { describe, expect, it } from '@jest/globals';
import { Findings } from '../../lib/explain/findings.js';
import { observeLeak } from '../../lib/explain/observe-change.js';
import type { Leak } from '../../lib/leaks/leak.js';

function leak(change: Partial<Leak>): Leak {
  return {
    memory: 'heap',
    state: 'suspect',
    since: 1000,
    bytesPerHour: 2 ** 20,
    usedBytes: 2 ** 26,
    confidence: 0.9,
    suspects: [{ type: 'http', name: 'GET /visits', bytesPerOperation: 100 }],
    explanation: 'the heap grows',
    ...change,
  };
}

describe('the observation of a leak', () => {
  it('belongs to one finding for all suspects, whose severity increases with certainty', () => {
    const findings = new Findings(10, () => {});
    findings.observe(observeLeak(leak({})), undefined, 1);
    findings.observe(observeLeak(leak({ suspects: [] })), undefined, 2);
    expect(findings.list({})).toMatchObject([{ count: 2, severity: 'warning', route: '(process)' }]);
    findings.observe(observeLeak(leak({ state: 'confirmed' })), undefined, 3);
    expect(findings.list({})).toMatchObject([{ count: 3, severity: 'critical' }]);
  });

  it('belongs to another finding for other memory', () => {
    const findings = new Findings(10, () => {});
    findings.observe(observeLeak(leak({})), undefined, 1);
    findings.observe(observeLeak(leak({ memory: 'external' })), undefined, 2);
    expect(findings.list({})).toHaveLength(2);
  });
});
