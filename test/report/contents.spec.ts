import { performance } from 'node:perf_hooks';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { PerformanceAlert } from '../../lib/alerting/alert.js';
import type { Finding } from '../../lib/explain/finding.js';
import type { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { ResourceHistory, type ResourceReading } from '../../lib/process/resource-history.js';
import { AlertHistory, MAX_KEPT_ALERTS } from '../../lib/report/alert-history.js';
import { buildReport } from '../../lib/report/build-report.js';
import { PAGE_ICON } from '../../lib/report/page-icon.js';
import type { ReportSource } from '../../lib/report/report-source.js';
import { shortened } from '../../lib/report/report-words.js';
import { ResourcePeaks } from '../../lib/report/resource-peaks.js';
import { toHtml } from '../../lib/report/to-html.js';
import { toMarkdown } from '../../lib/report/to-markdown.js';
import { duration, figure, percent } from '../../lib/text/quantities.js';
import { reading } from '../support/readings.js';
import { busyMonitor, fullSource } from './full-source.js';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

describe('the contents of a report', () => {
  let monitor: PerformanceMonitor;
  afterEach(() => monitor?.shutdown());

  const withFinding = (change: Partial<Finding>, more: Partial<ReportSource> = {}): ReportSource => {
    monitor = busyMonitor(0);
    Object.defineProperty(monitor, 'countingSince', { value: 0 });
    const [finding] = fullSource(monitor).getFindings();
    const own = { getFindings: () => [{ ...finding, ...change }], ...more };
    return Object.create(monitor, Object.getOwnPropertyDescriptors(own)) as ReportSource;
  };

  it('extrapolates the time of findings since start or the last reset to one hour', () => {
    const now = Date.now();
    const options = { now, uptimeMs: 10 * HOUR_MS };
    const perHour = (source: ReportSource): number | undefined =>
      buildReport(source, options).findings[0]?.lostMsPerHour;
    expect(perHour(withFinding({ totalMs: 60_000 }))).toBe(6000);
    expect(perHour(withFinding({ totalMs: 60_000 }, { countingSince: now - 30 * MINUTE_MS }))).toBe(120_000);
    // Seconds are extrapolated as if they were a minute.
    expect(perHour(withFinding({ totalMs: 60_000 }, { countingSince: now - 1000 }))).toBe(3_600_000);
  });

  it('summarizes all problems, however few are listed', () => {
    const source = withFinding({});
    const [finding] = source.getFindings();
    const two = [
      { ...finding, id: 'a', severity: 'warning', totalMs: 9000, explanation: 'costs more' },
      { ...finding, id: 'b', severity: 'critical', totalMs: 1, explanation: 'blocks' },
    ] as Finding[];
    Object.assign(source, { getFindings: () => two });
    const few = buildReport(source, { limit: 1 });
    expect(few.findings).toHaveLength(1);
    expect(few.verdict).toBe('critical');
    expect(few.summary).toEqual(buildReport(source, { limit: 20 }).summary);
  });

  it('covers nothing before a reset, and gives the reason', () => {
    const now = Date.now();
    const source = withFinding({}, { countingSince: now - 30 * MINUTE_MS });
    const of = (since?: number) => buildReport(source, { now, uptimeMs: 10 * HOUR_MS, since }).covered;
    const reason = 'statistics started or were reset then';
    expect(of()).toEqual({ since: now - 30 * MINUTE_MS, window: 'lifetime', reason });
    expect(of(now - 5 * HOUR_MS)).toMatchObject({ since: now - 30 * MINUTE_MS, window: 'day', reason });
    expect(of(now - MINUTE_MS)).toEqual({
      asked: now - MINUTE_MS,
      since: now - MINUTE_MS,
      window: 'minute',
    });
  });

  it('lists regressions, trends and leaks only in their own sections', () => {
    expect(buildReport(withFinding({ type: 'n_plus_one' })).findings).toHaveLength(1);
    for (const type of ['regression', 'trend', 'memory_leak'] as const)
      expect(buildReport(withFinding({ type })).findings).toEqual([]);
  });

  it('contains objectives, and warns about spent budgets', () => {
    monitor = busyMonitor(0);
    const of = (served: number, durationMs: number) => {
      for (let index = 0; index < served; index++)
        monitor.record({
          type: 'http',
          name: 'POST /orders',
          durationMs,
          thresholdMs: undefined,
          error: false,
        });
      return buildReport(monitor);
    };
    expect(of(0, 1)).toMatchObject({ verdict: 'fine', slos: [{ slo: 'checkout', objective: 0.999 }] });
    expect(of(100, 50)).toMatchObject({ verdict: 'fine', slos: [{ budgetRemaining: 1 }] });
    // Two bad operations are too few to warn.
    expect(of(2, 500).verdict).toBe('fine');
    const report = of(8, 500);
    expect(report.slos[0]?.windows['1h']).toMatchObject({ total: 110, bad: 10 });
    expect(report.summary[1]).toBe(
      'Objective checkout has spent its error budget: 10 of 110 operations in 3 days were bad (allowed: 0.1 %).',
    );
    expect(toMarkdown(report)).toContain('| checkout | 99.9 % | 200 ms | × 90.9 |');
    expect(toHtml(report)).toContain('<th scope="row">checkout</th><td>99.9 %</td>');
  });

  it('contains the recent alerts of the covered time, and the state of the baseline', () => {
    monitor = busyMonitor(0);
    Object.defineProperty(monitor, 'countingSince', { value: 0 });
    const source = fullSource(monitor, 'GET /a', 3);
    const now = Date.now();
    expect(buildReport(source, { now, uptimeMs: HOUR_MS }).recentAlerts).toHaveLength(3);
    expect(buildReport(source, { now, uptimeMs: 1500 }).recentAlerts).toHaveLength(2);
    const markdown = toMarkdown(buildReport(source, { uptimeMs: HOUR_MS }));
    expect(markdown).toMatch(/slo\\_burn\\_fast \(GET \/a\) firing\. The budget/);
    expect(markdown).toMatch(/slo\\_burn\\_fast \(GET \/a 1\) resolved\./);
    expect(markdown).toMatch(
      /Baselines exist for 812 operations of version 2\.0\.0, since .* UTC\.\n- Compared with version 1\.9\.3\.\n- Last saved/,
    );
    expect(buildReport(monitor).baseline).toMatchObject({ state: 'off' });
    expect(toMarkdown(buildReport(monitor))).toContain('The baseline is disabled');
  });

  it('escapes every text in HTML', () => {
    monitor = busyMonitor(20);
    const evil = `</style><script>alert(1)</script>"' onload=x ${'é'.repeat(900)}\u202e\u0000`;
    const page = toHtml(buildReport(fullSource(monitor, evil, 100), { limit: 100 }));
    const text = page.replace(/<style>.*?<\/style>/s, '').replace(PAGE_ICON, '');
    const tags = new Set(Array.from(text.matchAll(/<\/?([a-z0-9]+)/g), ([, tag]) => tag));
    expect([...tags].sort()).toEqual(
      'body h1 h2 head header html li main meta meter p section span strong table tbody td th thead time title tr ul div'
        .split(' ')
        .sort(),
    );
    // No event handler attributes.
    expect(text).not.toMatch(/<[^>]*\son\w+=/);
    for (const hidden of ['\u202e', '\u0000']) expect(text).not.toContain(hidden);
    expect(page.length).toBeLessThan(1_500_000);
    expect(page).not.toMatch(/undefined|NaN|\[object/);
  });
});

describe('the history of alerts', () => {
  const alert = (timestamp: number) => ({ timestamp }) as PerformanceAlert;
  it('lists the newest first, up to its limit', () => {
    const history = new AlertHistory();
    expect(history.list()).toEqual([]);
    for (let at = 0; at < MAX_KEPT_ALERTS + 5; at++) history.add(alert(at));
    const list = history.list();
    expect(list).toHaveLength(MAX_KEPT_ALERTS);
    expect([list[0]?.timestamp, list.at(-1)?.timestamp]).toEqual([MAX_KEPT_ALERTS + 4, 5]);
  });
});

describe('the peaks of resources', () => {
  const used = (at: number, change: Partial<ResourceReading> = {}): ResourceReading =>
    reading(at, {
      ...{ heapUsed: 100, heapTotal: 200, external: 10, rss: 500, cpuUserMs: at / 2 },
      ...{ eventLoopActiveMs: at / 4, eventLoopIdleMs: (3 * at) / 4, eventLoopDelayMaxMs: 1 },
      ...change,
    });
  /** The start of the next hour on the clock of `performance.now()`. */
  const hour =
    Math.ceil((performance.timeOrigin + performance.now()) / HOUR_MS) * HOUR_MS - performance.timeOrigin;
  const epoch = (at: number): number => Math.round(performance.timeOrigin + at);

  it('are absent without samples, and have no rates from one sample', () => {
    const history = new ResourceHistory(10);
    const peaks = new ResourcePeaks(history);
    expect(peaks.since(0)).toBeUndefined();
    history.add(used(hour));
    expect(peaks.since(0)).toEqual({
      since: epoch(hour),
      heapUsed: 100,
      external: 10,
      rss: 500,
      eventLoopDelayMaxMs: 1,
    });
  });

  it('include samples that the history has dropped', () => {
    const history = new ResourceHistory(4);
    const peaks = new ResourcePeaks(history);
    for (let index = 0; index < 40; index++) {
      const busy = index > 20 && index <= 24 ? 150 : 0;
      history.add(
        used(hour + 250 * index, {
          heapUsed: index === 7 ? 900 : 100,
          cpuUserMs: 25 * index + (index > 20 ? Math.min(4, index - 20) * busy || (index > 24 ? 600 : 0) : 0),
        }),
      );
      if (index % 3 === 0) peaks.take();
    }
    expect(peaks.since(0)).toMatchObject({ heapUsed: 900, cpu: 0.7, eventLoopUtilization: 0.25 });
  });

  it('cover the requested hours, up to one day', () => {
    const history = new ResourceHistory(100);
    const peaks = new ResourcePeaks(history);
    for (let index = 0; index < 40; index++) history.add(used(hour + index * HOUR_MS, { rss: 1000 - index }));
    expect(peaks.since(epoch(hour + 38 * HOUR_MS))).toMatchObject({ rss: 962 });
    expect(peaks.since(0)).toMatchObject({ since: epoch(hour + 15 * HOUR_MS), rss: 985 });
    expect(peaks.since(epoch(hour + 50 * HOUR_MS))).toBeUndefined();
  });
});

describe('formatted values', () => {
  it.each([
    [duration(0.123456), '0.123 ms'],
    [duration(999), '999 ms'],
    [duration(12_345), '12.3 s'],
    [duration(754_000), '12.6 min'],
    [duration(7 * HOUR_MS), '7 h'],
    [duration(1e9), '11.6 days'],
    [percent(0.001), '0.1 %'],
    [figure(-1234.5), '-1234'],
    [shortened('😀😀😀', 2), '😀…'],
    [shortened('ab', 2), 'ab'],
  ])('%s', (words, expected) => expect(words).toBe(expected));
});
