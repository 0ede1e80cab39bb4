import { afterEach, describe, expect, it } from '@jest/globals';
import type { Regression } from '../../lib/baseline/regression.js';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { buildReport, MAX_LIMIT } from '../../lib/report/build-report.js';
import { parseMoment, parseSince } from '../../lib/report/covered-time.js';
import { HTML_POLICY } from '../../lib/report/html-page.js';
import { markdownText } from '../../lib/report/markdown-text.js';
import { toHtml } from '../../lib/report/to-html.js';
import { MAX_MARKDOWN_BYTES, toMarkdown } from '../../lib/report/to-markdown.js';

const EVIL =
  '</style><img src=x onerror=alert(1)> | `@everyone` [a](javascript:b) #12 https://evil.example\n# head';

describe('the report', () => {
  let monitor: PerformanceMonitor;
  const start = (): void => {
    monitor = new PerformanceMonitor({ serviceName: 'shop', alerts: { enabled: false } });
  };
  afterEach(() => monitor?.shutdown());
  const slow = (name: string, durationMs = 900): boolean =>
    monitor.record({ type: 'http', name, durationMs, thresholdMs: 100, error: false });

  it('is fine for an idle application', () => {
    start();
    const report = buildReport(monitor);
    expect(report).toMatchObject({ verdict: 'fine', summary: ['Nothing needs attention.'], slowest: [] });
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(toMarkdown(report) + toHtml(report)).not.toMatch(/NaN|undefined|null|## Operations/);
  });

  it('contains slow operations and not fast ones', () => {
    start();
    monitor.record({ type: 'http', name: 'GET /fast', durationMs: 5, thresholdMs: 100, error: true });
    slow('GET /slow');
    const report = buildReport(monitor);
    expect(report.verdict).toBe('warning');
    expect(report.slowest.map(({ name, slowCount, errorRate }) => [name, slowCount, errorRate])).toEqual([
      ['GET /slow', 1, 0],
      ['GET /fast', 0, 1],
    ]);
    expect(report.slow.map(({ name }) => name)).toEqual(['GET /slow']);
    expect(toMarkdown(report)).toContain('| GET /slow | 1 | 1 |');
    expect(toHtml(report)).toContain('<th scope="row">GET /slow</th>');
  });

  it('summarizes open regressions, but not those that are over', () => {
    start();
    const one = { state: 'open', explanation: 'GET /a got slower.' } as Regression;
    const over = { state: 'over', overAt: Date.now(), explanation: 'GET /b was slower.' } as Regression;
    const source = Object.assign(monitor, { getRegressions: () => [one, over] });
    const report = buildReport(source);
    expect(report.summary).toEqual(['1 problem needs attention.', 'GET /a got slower.']);
    expect(report.regressions).toHaveLength(2);
  });

  it('covers the smallest window that contains the requested time, and gives the reason', () => {
    start();
    Object.defineProperty(monitor, 'countingSince', { value: 0 });
    const now = Date.now();
    const of = (agoMs: number, uptimeMs: number) =>
      buildReport(monitor, { now, uptimeMs, since: now - agoMs }).covered;
    expect(of(60_000, 1e8)).toEqual({ asked: now - 60_000, since: now - 60_000, window: 'minute' });
    expect(of(900_000, 1e8)).toMatchObject({
      since: now - 3_600_000,
      window: 'hour',
      reason: expect.any(String),
    });
    expect(of(900_000, 5000)).toMatchObject({ since: now - 5000, reason: 'the process started later' });
    expect(of(1e9, 5e9)).toMatchObject({ window: 'lifetime' });
  });

  it('limits its lists and its size', () => {
    start();
    for (let index = 0; index < 300; index++) slow(`GET /${index}${'é'.repeat(400)}`);
    const report = buildReport(monitor, { limit: 1e9 });
    expect([report.slowest.length, report.slow.length]).toEqual([MAX_LIMIT, MAX_LIMIT]);
    expect(buildReport(monitor, { limit: 3 }).slowest).toHaveLength(3);
    const markdown = toMarkdown(report);
    expect(Buffer.byteLength(markdown)).toBeLessThanOrEqual(MAX_MARKDOWN_BYTES);
    expect(markdown).toContain('Truncated: see the JSON report.');
  });

  it('escapes every text of the application', () => {
    start();
    slow(EVIL);
    const report = buildReport(monitor);
    const markdown = toMarkdown(report);
    expect(markdown).not.toMatch(/<|@everyone|(?<!\\)`|https:\/\/|^# head|(?<!\\)\[a/m);
    const html = toHtml(report);
    expect(html).not.toContain('<img');
    expect(html.match(/<\/style>/g)).toHaveLength(1);
    expect(html).not.toMatch(/<script|\son\w+=(?!alert)"/);
    expect(HTML_POLICY).toContain("default-src 'none'");
    expect(markdownText('a\u202eb\r\nc')).toBe('a b c');
    expect(Array.from(markdownText('x'.repeat(999)))).toHaveLength(300);
  });

  it.each([
    ['15m', 900_000],
    ['1h', 3_600_000],
    ['2d', 172_800_000],
  ])('parses since=%s', (text, ago) => expect(parseSince(text, 1e12)).toBe(1e12 - ago));
  it('parses the end of a range, which may be in the future', () => {
    expect(parseMoment('2999-01-01', 1e12)).toBe(Date.UTC(2999, 0, 1));
    expect(parseMoment('1h', 1e12)).toBe(1e12 - 3_600_000);
    for (const bad of ['', '1', '1w', 'tomorrow', '2001-99-01', '2001-01-01T99:00Z'])
      expect(parseMoment(bad, 1e12)).toBeUndefined();
  });
  it('parses dates and milliseconds, and nothing else', () => {
    expect(parseSince('2001-01-01', 1e12)).toBe(Date.UTC(2001, 0, 1));
    expect(parseSince('999999999999', 1e12)).toBe(999_999_999_999);
    for (const bad of ['', '1', '-1h', '1w', 'yesterday', '2999-01-01', '2001-99-01'])
      expect(parseSince(bad, 1e12)).toBeUndefined();
  });
});
