import { describe, expect, it } from '@jest/globals';
import { boundedData, boundedText, MAX_ANSWER_BYTES } from '../../lib/mcp/answer.js';
import { CodeSearch } from '../../lib/mcp/code-places.js';
import { code, prose } from '../../lib/mcp/markdown.js';
import { compareExecutions, executionsSince, type Measurement } from '../../lib/mcp/measurement.js';
import { PageLinks } from '../../lib/mcp/page-links.js';
import { spanGroups } from '../../lib/mcp/waterfall-groups.js';
import type { WaterfallSpan } from '../../lib/spans/waterfall.js';
import { OperationHistory } from '../../lib/statistics/operation-history.js';
import { OperationStatistics } from '../../lib/statistics/operation-statistics.js';
import { Statistics } from '../../lib/statistics/statistics.js';

/** Uniform from 0 to 1, the same in each run. */
function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Statistics of executions around a median in milliseconds. */
class Runs {
  readonly history = new OperationHistory('http', 'GET /');
  readonly statistics = new OperationStatistics(this.history);
  private readonly random = randoms(7);
  private now = 0;

  run(times: number, medianMs: number, statements: number, errors = 0): this {
    for (let time = 0; time < times; time++) {
      this.now += 700;
      const noise = Math.exp(0.3 * (this.random() + this.random() - 1));
      this.statistics.record(medianMs * noise, false, time < errors, this.now);
      this.history.addWork([0, 0, 0, 0, 0, 0, 0, 0], statements);
    }
    return this;
  }

  /** As `measure` returns it. */
  measured(run = 1): Measurement {
    const { count, errors, latency, statements } = this.statistics.executions();
    const numbers = (one: typeof latency) => one && ([one.n, one.mean, one.variance] as const);
    return {
      type: 'http',
      operation: 'GET /',
      run,
      at: 1,
      count,
      errors,
      latency: numbers(latency),
      statements: numbers(statements),
    };
  }
}

const verdict = (before: Measurement, after: Runs): string =>
  compareExecutions(before, after.statistics.executions()).verdict;

describe('a measurement', () => {
  it('is what later executions of the same run are compared with, without itself', () => {
    const all = new Runs().run(60, 40, 30, 3);
    const before = all.measured();
    all.run(50, 10, 2, 1);
    const after = executionsSince(before, all.statistics.executions(), 1);
    const alone = new Runs().run(50, 10, 2, 1).statistics.executions();
    expect(after).toMatchObject({ count: 50, errors: 1, statements: { n: 50, mean: expect.closeTo(2, 6) } });
    expect(after?.latency?.n).toBe(50);
    expect(after?.latency?.mean).toBeCloseTo(alone.latency?.mean ?? 0, 0);
    // 40 ms and 10 ms with a spread of some 12 %: what remains has the spread of the second part, not of both.
    expect(after?.latency?.variance).toBeLessThan(0.05);
    expect(executionsSince(before, all.statistics.executions(), 2)?.count).toBe(110);
    expect(executionsSince(before, new Runs().run(5, 10, 2).statistics.executions(), 1)).toBeUndefined();
  });

  it('survives JSON', () => {
    const measured = new Runs().run(40, 40, 30).measured();
    expect(JSON.parse(JSON.stringify(measured))).toEqual(measured);
  });

  it('judges what changed, and promises nothing of the rest', () => {
    const before = new Runs().run(60, 40, 30).measured();
    expect(verdict(before, new Runs().run(40, 20, 30))).toBe('better');
    expect(verdict(before, new Runs().run(40, 60, 30))).toBe('worse');
    expect(verdict(before, new Runs().run(40, 40, 2))).toBe('better');
    // Faster, but with more statements.
    expect(verdict(before, new Runs().run(40, 20, 60))).toBe('worse');
    // As much as two runs of the same code may differ.
    expect(verdict(before, new Runs().run(400, 35, 30))).toBe('not enough data');
    expect(verdict(before, new Runs().run(29, 4, 2))).toBe('not enough data');
    expect(verdict(new Runs().run(29, 40, 30).measured(), new Runs().run(400, 4, 2))).toBe('not enough data');
    // So fast that no difference of a few percent matters.
    const fast = new Runs().run(2000, 1, 1).measured();
    expect(verdict(fast, new Runs().run(2000, 1.02, 1))).toBe('same');
  });

  it('never blames or praises an unchanged operation', () => {
    const verdicts = Array.from({ length: 300 }, (_, index) => {
      // Runs of the same code differ by some percent.
      const shift = Math.exp(0.13 * Math.sin(index * 2.399));
      return verdict(new Runs().run(100, 40, 30).measured(), new Runs().run(100, 40 * shift, 30));
    });
    expect(verdicts.filter((one) => one === 'better' || one === 'worse')).toEqual([]);
  });

  it('is of what ran since a reset of the statistics', () => {
    const history = new OperationHistory('http', 'GET /');
    const statistics = new Statistics(10, () => history);
    const run = (statements: number): void => {
      statistics
        .record('http', 'GET /', 5, false, false, 1000)
        ?.addWork([0, 0, 0, 0, 0, 0, 0, 0], statements);
    };
    run(30);
    statistics.reset();
    expect(statistics.of('http', 'GET /')?.executions()).toBeUndefined();
    run(2);
    expect(statistics.of('http', 'GET /')?.executions()).toMatchObject({
      count: 1,
      statements: { n: 1, mean: 2 },
    });
  });
});

describe('an answer', () => {
  it('keeps whole lines', () => {
    const lines = Array.from({ length: 1000 }, (_, index) => `${index} ${'ä'.repeat(40)}`);
    const text = boundedText(lines);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_ANSWER_BYTES);
    const kept = text.split('\n');
    expect(lines.slice(0, kept.length - 1)).toEqual(kept.slice(0, -1));
    expect(kept.at(-1)).toBe(
      `(${1001 - kept.length} more lines left out: ask for less with the arguments of this tool)`,
    );
    expect(boundedText(['one', 'two'])).toBe('one\ntwo');
  });

  it('loses the ends of its longest lists, and says how many', () => {
    const data = {
      small: [1, 2],
      deep: { rows: Array.from({ length: 900 }, (_, id) => ({ id, text: 'x'.repeat(90) })) },
    };
    const bounded = boundedData(data) as typeof data & { leftOut: Record<string, number> };
    expect(Buffer.byteLength(JSON.stringify(bounded))).toBeLessThanOrEqual(MAX_ANSWER_BYTES);
    expect(bounded.small).toEqual([1, 2]);
    expect(bounded.leftOut).toEqual({ 'deep.rows': 900 - bounded.deep.rows.length });
    expect(bounded.deep.rows.length).toBeGreaterThan(100);
    expect(boundedData({ a: undefined, b: [1] })).toEqual({ b: [1] });
  });

  it('shortens strings where no list is left to shorten', () => {
    const fields = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [`f${index}`, 'y'.repeat(5000)]),
    );
    expect(Buffer.byteLength(JSON.stringify(boundedData(fields)))).toBeLessThanOrEqual(MAX_ANSWER_BYTES);
  });
});

describe('texts of the application', () => {
  it.each([
    ['SELECT `id` FROM a', '`` SELECT `id` FROM a ``'],
    ['`', '`` ` ``'],
    ['a\nb', String.raw`\u000a`],
  ])('%j is a code span', (given, expected) => {
    expect(code(given)).toContain(expected.replace(/^`` | ``$/g, ''));
    const [, fence = ''] = /^(`+)/.exec(code(given)) ?? [];
    expect(code(given).split(new RegExp(`(?<!\`)${fence}(?!\`)`))).toHaveLength(3);
  });

  it('is prose without effect', () => {
    expect(prose('![a](b) <c> `d` \\e\n f')).toBe(String.raw`!\[a\](b) \<c\> \`d\` \\e f`);
  });
});

describe('a search for code', () => {
  const at = (
    file: string | undefined,
    symbol: string | undefined,
    site: { function?: string; file?: string },
  ) => new CodeSearch(file, symbol).isAt(site);

  it.each([
    ['src/albums.service.ts', 'src/albums.service.ts', true],
    ['./src/albums.service.ts:42:7', 'src/albums.service.ts', true],
    ['/home/dev/shop/src/albums.service.ts', 'src/albums.service.ts', true],
    ['albums.service.ts', 'src/albums.service.ts', true],
    ['src\\albums.service.ts', 'src/albums.service.ts', true],
    ['src/albums.service.ts', '…/src/albums.service.ts', true],
    ['src/albums.service.ts', 'dist/albums.service.js', true],
    ['ms.service.ts', 'src/albums.service.ts', false],
    ['../../etc/passwd', 'src/albums.service.ts', false],
  ])('%s is %s: %s', (given, file, expected) => {
    expect(at(given, undefined, { file })).toBe(expected);
  });

  it.each([
    ['AlbumsService', 'AlbumsService.list', true],
    ['list', 'AlbumsService.list', true],
    ['AlbumsService.list()', 'AlbumsService.list', true],
    ['albumsservice#LIST', 'AlbumsService.list', true],
    ['Albums', 'AlbumsService.list', false],
    ['AlbumsService.find', 'AlbumsService.list', false],
  ])('%s is in %s: %s', (symbol, name, expected) => {
    expect(at(undefined, symbol, { function: name })).toBe(expected);
  });

  it('knows the class of a file by the conventions of Nest', () => {
    const search = new CodeSearch('src/order-items.controller.ts', undefined);
    expect(search.isMethod('OrderItemsController.list')).toBe(true);
    expect(search.isMethod('OrdersController.list')).toBe(false);
    expect(search.isMethod(undefined)).toBe(false);
    expect(
      new CodeSearch('src/order-items.controller.ts', 'find').isMethod('OrderItemsController.list'),
    ).toBe(false);
  });
});

describe('a waterfall', () => {
  const span = (name: string, parent: number, startMs = 0): WaterfallSpan => ({
    name,
    type: 'database',
    startMs,
    durationMs: 2,
    parent,
  });

  it('groups repetitions, with all that is below them', () => {
    const spans = [
      span('GET /', -1),
      span('list', 0, 1),
      span('SELECT a', 1, 2),
      span('list', 0, 4),
      { ...span('SELECT a', 3, 5), error: true as const },
      span('SELECT b', 0, 8),
      span('list', 0, 9),
    ];
    expect(spanGroups({ spans, omitted: 0 })).toEqual([
      expect.objectContaining({ name: 'GET /', depth: 0, count: 1 }),
      expect.objectContaining({ name: 'list', depth: 1, startMs: 1, count: 2, totalMs: 4 }),
      expect.objectContaining({ name: 'SELECT a', depth: 2, count: 2, errors: 1 }),
      expect.objectContaining({ name: 'SELECT b', depth: 1, count: 1 }),
      expect.objectContaining({ name: 'list', depth: 1, startMs: 9, count: 1 }),
    ]);
  });
});

describe('links', () => {
  it('encode any name, and are absent without an address', () => {
    const links = new PageLinks('http://localhost/performance');
    expect(links.operation('http', 'GET /a b/\ud800#?')).toBe(
      'http://localhost/performance#/operation/http/GET%20%2Fa%20b%2F%EF%BF%BD%23%3F',
    );
    expect(new PageLinks(undefined).overview).toBeUndefined();
  });
});
