import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { Analysis } from '../../lib/cli/analyze/analysis.js';
import { findingsTable } from '../../lib/cli/analyze/findings-table.js';
import type { TraceFinding } from '../../lib/cli/analyze/trace-findings.js';
import { TopFindings } from '../../lib/cli/analyze/trace-findings.js';
import { TraceStore } from '../../lib/cli/analyze/trace-store.js';
import { runCli } from './support/analyzing.js';
import { otlpOf, Recording } from './support/recording.js';

const finding = (totalMs: number, more: Partial<TraceFinding> = {}): TraceFinding => ({
  type: 'n_plus_one',
  severity: 'warning',
  traceId: 'a',
  parentSpanId: 'b',
  spanIds: [],
  fingerprint: 'select ?',
  count: 5,
  totalMs,
  explanation: 'It was so.',
  route: 'GET /',
  service: 'music',
  ...more,
});

describe('the limits', () => {
  it('of spans release the least recently used trace', () => {
    const given: string[] = [];
    const store = new TraceStore((traceId, spans) => given.push(`${traceId}${spans.length}`), 4);
    const span = {} as Parameters<TraceStore['add']>[1];
    for (const traceId of ['a', 'b', 'c', 'a', 'd']) store.add(traceId, span);
    expect({ given, early: store.early }).toEqual({ given: ['b1'], early: 1 });
    for (const traceId of ['d', 'd']) store.add(traceId, span);
    expect(given).toEqual(['b1', 'c1', 'a2']);
    store.end();
    expect(given).toEqual(['b1', 'c1', 'a2', 'd3']);
  });

  it('of spans apply to a single trace', async () => {
    const recording = new Recording();
    const request = recording.request();
    for (let copy = 0; copy < 50; copy++) recording.query(request, 'SELECT * FROM track WHERE id = $1');
    const analysis = new Analysis({ minRepetitions: 5, minTotalMs: 25 }, 10);
    const text = JSON.stringify(otlpOf(recording.spans, 'music'));
    await analysis.read('-', Readable.from([Buffer.from(text)]));
    analysis.end();
    expect(analysis.traces.early).toBe(4);
    expect(analysis.findings.list()).toMatchObject([{ count: 10 }]);
  });

  it('of findings keep the most expensive', () => {
    const findings = new TopFindings(10);
    for (let at = 0; at < 100; at++)
      findings.add(finding((at * 37) % 100, at === 50 ? { severity: 'critical' } : {}));
    expect(findings.list().map(({ totalMs }) => totalMs)).toEqual([99, 98, 97, 96, 95, 94, 93, 92, 91, 90]);
    expect(findings).toMatchObject({
      total: 100,
      omitted: 90,
      counts: { info: 0, warning: 99, critical: 1 },
    });
    expect(findings.reaches('critical')).toBe(true);
  });
});

describe('the table', () => {
  it('is written to a terminal or with --table', async () => {
    const recording = new Recording();
    const request = recording.request();
    for (let copy = 0; copy < 12; copy++) recording.query(request, 'SELECT * FROM track WHERE id = $1');
    const input = JSON.stringify(recording.otlp);
    const { code, stdout } = await runCli(['analyze', '-'], input, true);
    expect(code).toBe(1);
    expect(stdout).toBe(
      `SEVERITY  TYPE        COUNT   TOTAL  SERVICE  ROUTE        TRACE
warning   n_plus_one     12  120 ms  music    GET /albums  ${recording.traceId}
    GET /albums made 12 sequential copies of SELECT track WHERE id = ?, 120 ms in total. Load all of them at once: with a join, IN or a DataLoader.

1 finding (0 critical, 1 warning, 0 info) in 1 request, 13 spans.
`,
    );
    expect((await runCli(['analyze', '--table', '-'], input)).stdout).toBe(stdout);
    expect(JSON.parse((await runCli(['analyze', '--json', '-'], input, true)).stdout)).toHaveLength(1);
  });

  it('reports that nothing was found', () => {
    expect(findingsTable(new TopFindings(), { requests: 2, spans: 30 })).toBe(
      '0 findings in 2 requests, 30 spans.\n',
    );
  });

  it('shows a hundred findings, and truncates long cells', () => {
    const findings = new TopFindings();
    for (let at = 0; at < 150; at++) findings.add(finding(at, { route: `GET /${'x'.repeat(300)}` }));
    const lines = findingsTable(findings, { requests: 150, spans: 1000 }).split('\n');
    expect(lines).toHaveLength(1 + 200 + 4);
    expect(lines).toContain('Showing the 100 most expensive of 150: use --json for more.');
    expect(lines[1]).toContain('…');
  });
});

describe('terminal control characters', () => {
  const evil = 'x\u001b[2J\u009b1m\n\u202eevil';

  it('are escaped in tables, JSON and messages', async () => {
    const recording = new Recording(evil);
    const request = recording.request(`/${evil}`);
    for (let copy = 0; copy < 6; copy++)
      recording.work(request, 10, {
        'db.system': 'mongodb',
        'db.operation': 'find',
        'db.mongodb.collection': evil,
      });
    recording.work(request, 10, { 'db.system': 'postgresql' });
    const input = JSON.stringify(recording.otlp);
    for (const option of ['--table', '--json']) {
      const { stdout, stderr } = await runCli(['analyze', option, '-'], input, true);
      expect(stdout).toContain('\\u001b[2J\\u009b1m');
      expect(stderr).toContain('\\u001b[2J\\u009b1m');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the test searches for them
      expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
      if (option === '--json')
        expect(JSON.parse(stdout)).toMatchObject([{ service: evil, route: `GET /${evil}` }]);
    }
  });
});
