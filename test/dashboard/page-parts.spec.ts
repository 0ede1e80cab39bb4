import { describe, expect, it } from '@jest/globals';
import type { Overview } from '../../lib/dashboard/overview.js';
import { findingItems, findingItemsOf } from '../../lib/dashboard/page/finding-items.js';
import { ago, duration, megabytes, number, percent } from '../../lib/dashboard/page/format.js';
import { shortPath, visible } from '../../lib/dashboard/page/text.js';
import { foldedRows, inOrder } from '../../lib/dashboard/page/waterfall-rows.js';

const plain = (text: string): string => text.replace(/\u202f/g, ' ');

describe('figures of the page', () => {
  it.each([
    [0, '0 ms'],
    [0.26, '0.3 ms'],
    [42.4, '42 ms'],
    [999, '999 ms'],
    [1000, '1 s'],
    [61_000, '1 min'],
    [3_600_000 * 1.5, '1.5 h'],
    [3_600_000 * 72, '3 d'],
    [undefined, '–'],
    [Number.NaN, '–'],
  ])('shows %s milliseconds as %s', (ms, shown) => expect(plain(duration(ms))).toBe(shown));

  it('formats numbers with three digits, shares and sizes', () => {
    expect([number(1234.5), number(12.34), number(1.234)]).toEqual(['1,235', '12.3', '1.23']);
    expect([percent(0), percent(0.44), percent(99.6)].map(plain)).toEqual(['0 %', '0.4 %', '100 %']);
    expect([megabytes(45.21), megabytes(2048), megabytes(null)].map(plain)).toEqual(['45.2 MB', '2 GB', '–']);
    expect([ago(1000, 1500), ago(1000, 13_000), ago(2000, 1000)].map(plain)).toEqual([
      'now',
      '12 s ago',
      'now',
    ]);
  });
});

describe('text from the application', () => {
  it('shows control and bidirectional characters as symbols', () => {
    expect(visible('a\u001b[31m\n\u007f\u202eb\u200b')).toBe('a␛[31m␊␡⟨202E⟩b⟨200B⟩');
    expect(visible('<b>&amp; ünï 漢字 🎵')).toBe('<b>&amp; ünï 漢字 🎵');
  });

  it('is truncated above its maximum length', () => {
    expect(visible('x'.repeat(50), 10)).toBe(`${'x'.repeat(9)}…`);
  });

  it('has shortened paths', () => {
    expect(shortPath('file:///app/src/albums.ts')).toBe('src/albums.ts');
    expect(shortPath('albums.ts')).toBe('albums.ts');
    expect(shortPath('/a/b/c.ts', 0)).toBe('c.ts');
  });
});

describe('a waterfall', () => {
  const span = (name: string, startMs: number, parent: number) => ({
    name,
    type: 'internal',
    startMs,
    durationMs: 1,
    parent,
  });
  const shown = (spans: ReturnType<typeof span>[]) =>
    inOrder(spans).map(({ depth, span: { name } }) => `${depth} ${name}`);

  it('lists each span after its parent, in start order', () => {
    const spans = [span('root', 0, -1), span('late', 9, 0), span('early', 1, 0), span('within', 2, 2)];
    expect(shown(spans)).toEqual(['0 root', '1 early', '2 within', '1 late']);
  });

  it('lists spans without a recorded parent below the operation', () => {
    expect(shown([span('root', 0, -1), span('orphan', 1, 99), span('own', 2, 2)])).toEqual([
      '0 root',
      '1 orphan',
      '1 own',
    ]);
    expect(shown([])).toEqual([]);
  });
});

describe('repetitions in a waterfall', () => {
  let startMs = 0;
  const span = (name: string, parent: number, type = 'database') => ({
    ...{ name, type, parent, startMs: startMs++, durationMs: 1 },
  });
  const rows = (spans: ReturnType<typeof span>[], unfolded?: Set<number>) =>
    foldedRows(spans, unfolded).map(({ depth, span: { name }, spans: { length } }) =>
      length === 1 ? `${depth} ${name}` : `${depth} ${name} x ${length}`,
    );

  it('share a row, also where others lie between them, and are shown one by one once unfolded', () => {
    const spans = [span('GET /albums', -1, 'http')];
    for (let each = 0; each < 50; each++) spans.push(span('pool', 0), span('SELECT track', 0));
    expect(rows(spans)).toEqual(['0 GET /albums', '1 pool x 50', '1 SELECT track x 50']);
    const unfolded = rows(spans, new Set([2]));
    expect(unfolded).toHaveLength(52);
    expect(unfolded.slice(0, 4)).toEqual([
      '0 GET /albums',
      '1 pool x 50',
      '1 SELECT track',
      '1 SELECT track',
    ]);
  });

  it('do not hide spans below them, other parents, other types, or one of two', () => {
    const spans = [
      span('GET /albums', -1, 'http'),
      ...[span('load', 0), span('load', 0), span('load', 0), span('load', 0)],
      ...[span('a', 1), span('a', 1), span('a', 2)],
      ...[span('b', 0, 'cache'), span('b', 0, 'cache'), span('b', 0), span('b', 0)],
    ];
    expect(rows(spans)).toEqual([
      '0 GET /albums',
      ...['1 load', '2 a', '2 a', '1 load', '2 a', '1 load', '1 load'],
      ...['1 b', '1 b', '1 b', '1 b'],
    ]);
    expect(rows([])).toEqual([]);
  });
});

describe('the findings of the page', () => {
  const finding = {
    severity: 'warning',
    fingerprint: '',
    repetitions: 1,
    worstMs: 1,
    firstSeen: 0,
    traceId: '',
    spanId: '',
    explanation: '',
  } as const;
  const regression = {
    id: 'r',
    type: 'http',
    name: 'GET /a',
    metric: 'latency',
    against: 'baseline',
    state: 'open',
    since: 0,
    detectedAt: 0,
    before: 1,
    now: 3,
    change: 2,
    interval: [1, 3],
    pValue: 0,
    count: 9,
    parts: [],
    explanation: '',
  } as const;
  const overview = {
    findings: [
      { ...finding, id: '1', type: 'n_plus_one', route: 'GET /a', count: 1, totalMs: 10, lastSeen: 1 },
      { ...finding, id: '2', type: 'n_plus_one', route: 'GET /b', count: 1, totalMs: 900, lastSeen: 1 },
      { ...finding, id: '3', type: 'regression', route: 'GET /a', count: 1, totalMs: 0, lastSeen: 1 },
    ],
    regressions: [regression],
    trends: [],
    leaks: [],
  } as unknown as Overview;

  it('are sorted by severity, with a regression once', () => {
    expect(findingItems(overview).map(({ key }) => key)).toEqual(['regression r', 'finding 2', 'finding 1']);
  });

  it('can be limited to one operation', () => {
    expect(findingItemsOf(overview, 'http', 'GET /a').map(({ key }) => key)).toEqual([
      'regression r',
      'finding 1',
    ]);
    // A finding has a route without a type; a regression has both.
    expect(findingItemsOf(overview, 'database', 'GET /a').map(({ key }) => key)).toEqual(['finding 1']);
  });
});
