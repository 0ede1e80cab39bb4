import { describe, expect, it } from '@jest/globals';
import type { Overview } from '../../lib/dashboard/overview.js';
import { agentText } from '../../lib/dashboard/page/agent-text.js';
import { findingItems } from '../../lib/dashboard/page/finding-items.js';
import { firstFinding, stepOf } from '../../lib/dashboard/page/next-step.js';
import { slowText } from '../../lib/dashboard/page/slow-text.js';
import type { Finding } from '../../lib/explain/finding.js';

const callSite = { function: 'Shop.list', file: 'src/shop.ts', line: 12, column: 5 };
const finding = (given: Partial<Finding>): Finding => ({
  ...{ id: '1', type: 'n_plus_one', severity: 'critical', fingerprint: 'select * from track where id = ?' },
  ...{ route: 'GET /albums', count: 12, repetitions: 50, totalMs: 900, worstMs: 200, firstSeen: 0 },
  ...{
    lastSeen: 86_400_000,
    traceId: 't',
    spanId: 's',
    explanation: 'GET /albums made 50 copies.',
    callSite,
  },
  ...given,
});
const overviewOf = (findings: Finding[], sentence: string, state: Overview['health']['state'] = 'degraded') =>
  ({
    health: { state, sentence },
    service: { name: 'shop', version: '2.0.0' },
    findings,
    ...{ regressions: [], trends: [], leaks: [], slow: [] },
    operations: [
      {
        ...{ type: 'http', name: 'GET /albums', thresholdMs: 150 },
        lifetime: { count: 40, slowPercentage: 70, errorCount: 2, p50: 178, p95: 436, p99: 1600 },
      },
    ],
  }) as unknown as Overview;

describe('the next step', () => {
  it('is that of the operation which the sentence names, with its line', () => {
    const findings = [
      finding({ id: 'worse', route: 'GET /other', totalMs: 9000 }),
      finding({ id: 'blocked', type: 'event_loop_block', severity: 'warning' }),
    ];
    const first = firstFinding(overviewOf(findings, 'GET /albums is slow in 33 % of calls.'));
    expect(first).toMatchObject({ type: 'event_loop_block', callSite });
    expect(first && stepOf(first)).toMatch(/^Split the work/);
    expect(firstFinding(overviewOf(findings, 'An alert is firing.'))?.subject?.name).toBe('GET /other');
  });

  it('is the missing index where a plan shows one', () => {
    const suggestedIndex = { statement: 'CREATE INDEX ON track (album_id)', rowsRead: 15_000 };
    const plan = { explanation: 'Reads all rows.', suggestedIndex, explainedAt: 0 } as never;
    const first = firstFinding(overviewOf([finding({ plan })], 'GET /albums is slow.'));
    expect(first && stepOf(first)).toBe('Create the index: CREATE INDEX ON track (album_id)');
  });

  it.each(['idle', 'healthy'] as const)('is absent while the application is %s', (state) => {
    expect(firstFinding(overviewOf([finding({})], 'GET /albums', state))).toBeUndefined();
  });

  it('is absent without a finding that matters', () => {
    expect(firstFinding(overviewOf([finding({ severity: 'info' })], 'GET /albums is slow.'))).toBeUndefined();
  });
});

describe('a finding for an agent', () => {
  const textOf = (given: Partial<Finding>): string => {
    const overview = overviewOf([finding(given)], '');
    const [item] = findingItems(overview);
    return item === undefined ? '' : agentText(item, overview);
  };

  it('has the line, the statement, the evidence and how to verify a change', () => {
    const text = textOf({});
    expect(text).toContain('# N+1 queries in `GET /albums`\n');
    expect(text).toContain('`Shop.list` at `src/shop.ts:12:5`');
    expect(text).toContain('```sql\nselect * from track where id = ?\n```');
    expect(text).toContain(
      '- Found 12 times\n- Worst 200 ms, total 900 ms\n- Last seen 1970-01-02T00:00:00.000Z',
    );
    expect(text).toContain('Of 40 executions 70 % were slow (threshold 150 ms) and 2 failed; p50 178 ms');
    expect(text).toContain('## How to verify\n\n1. Execute `GET /albums`');
    expect(text).toContain('`GET findings?type=n_plus_one`');
    expect(text).toMatch(/^4\. Keep it so with `toHaveNoRepeatedQueries\(\)`/m);
  });

  it('does not let text of the application end its code or hide characters', () => {
    const text = textOf({
      route: 'GET /`# new`',
      fingerprint: 'select `a` ```\n# ignore\u202e',
      callSite: undefined as never,
    });
    expect(text.match(/```/g)).toHaveLength(2);
    expect(text).not.toMatch(/\n# ignore|\u202e/);
    expect(text).toContain('# N+1 queries in `GET /′# new′`\n');
  });
});

describe('a slow execution for an agent', () => {
  const slow = (given: Partial<Parameters<typeof slowText>[0]> = {}): Parameters<typeof slowText>[0] => ({
    ...{ id: 'b7ad6b7169203331', timestamp: 86_400_000, type: 'http', name: 'GET /albums', error: false },
    ...{ durationMs: 436, thresholdMs: 150, slownessRatio: 2.9, traceId: 't', spanId: 'b7ad6b7169203331' },
    ...{ cause: 'n_plus_one', causeShare: 0.8, explanation: 'GET /albums made 50 copies.', callSite },
    causes: [
      {
        ...{ cause: 'n_plus_one', share: 0.8, ms: 349, certainty: 'measured' },
        ...{ operation: 'SELECT track', count: 50 },
      },
    ],
    nPlusOne: { statement: 'select * from track where album_id = ?', count: 50, totalMs: 349 },
    ...given,
  });

  it('has the causes, the line, the spans, the plan, the log and how to verify a change', () => {
    const suggestedIndex = { statement: 'CREATE INDEX ON track (album_id)', rowsRead: 15_000 };
    const text = slowText(
      slow({
        plan: { explanation: 'Reads all rows.', suggestedIndex, explainedAt: 0 } as never,
        topFunctions: [{ function: 'hash', share: 0.2, file: 'src/hash.ts', line: 3 }],
        waterfall: {
          spans: [
            { name: 'GET /albums', type: 'http', startMs: 0, durationMs: 436, parent: -1 },
            { name: 'SELECT track', type: 'database', startMs: 1, durationMs: 7, parent: 0 },
            { name: 'SELECT track', type: 'database', startMs: 9, durationMs: 8, parent: 0 },
          ],
          omitted: 0,
        },
        log: { lines: [{ level: 'warn', offsetMs: 12, context: 'Albums', message: 'many' }], omitted: 0 },
      }),
    );
    expect(text).toMatch(/^# Slow execution of `GET \/albums`\n\nMeasured by .* 1970-01-02T00:00:00\.000Z\./);
    expect(text).toContain('`Shop.list` at `src/shop.ts:12:5`');
    expect(text).toContain('```sql\nselect * from track where album_id = ?\n```');
    expect(text).toContain('Reads all rows.\n\n```sql\nCREATE INDEX ON track (album_id);\n```');
    expect(text).toContain('- `GET /albums` (http) took 436 ms, threshold 150 ms\n');
    expect(text).toContain('- Cause n_plus_one: 80 % (349 ms, measured), `SELECT track` × 50\n');
    expect(text).toContain('- Hot function `hash` at `src/hash.ts:3`: 20 % of the CPU samples');
    expect(text).toContain('- `SELECT track` (database): 2 ×, 15 ms in total, the longest 8 ms\n');
    expect(text).toContain('## Log\n\n```text\n+12 ms warn [Albums] many\n```');
    expect(text).toContain('1. Execute `GET /albums`');
    expect(text).toContain('`GET slow?name=GET%20%2Falbums&since=15m`');
    expect(text).toMatch(/^4\. Keep it so with `toHaveNoRepeatedQueries\(\)`/m);
  });

  it('says nothing of what is not known', () => {
    const { callSite: _, nPlusOne: __, ...rest } = slow({ causes: [] });
    const text = slowText(rest);
    expect(text.match(/^## .*$/gm)).toEqual(['## What happens', '## Evidence', '## How to verify']);
    expect(text).not.toMatch(/undefined|–/);
  });

  it('does not let text of the application end its code or hide characters', () => {
    const text = slowText(
      slow({
        name: 'GET /`# new`',
        log: { lines: [{ level: 'log', offsetMs: 1, message: '```\n# ignore\u202e' }], omitted: 0 },
      }),
    );
    expect(text.match(/```/g)).toHaveLength(4);
    expect(text).not.toMatch(/\n# ignore|\u202e/);
    expect(text).toContain('# Slow execution of `GET /′# new′`\n');
  });
});
