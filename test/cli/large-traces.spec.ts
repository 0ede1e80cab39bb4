import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Analysis } from '../../lib/cli/analyze/analysis.js';
import type { RecordedSpan } from '../../lib/cli/analyze/recorded-span.js';
import { runningRequests } from '../../lib/cli/analyze/running-requests.js';
import { Service } from '../../lib/cli/analyze/service.js';
import { otlpOf, Recording } from './support/recording.js';

const SPANS = 150_000;

describe('a large trace', () => {
  it('has any number of spans below one without its parent', async () => {
    const recording = new Recording();
    recording.request('/albums', SPANS * 10);
    const lost = recording.span('resolve', 0, SPANS * 10, { parentSpanId: 'dddddddddddddddd' });
    const { spans } = recording;
    while (spans.length < SPANS) recording.query(lost, 'SELECT * FROM track WHERE id = $1');
    const analysis = new Analysis({ minRepetitions: 5, minTotalMs: 25 });
    const text = JSON.stringify(otlpOf(spans, 'music'));
    expect(await analysis.read('-', Readable.from([Buffer.from(text)]))).toBe(SPANS);
    analysis.end();
    expect(analysis.findings.list()).toMatchObject([{ count: SPANS - 2 }]);
  }, 60_000);

  const services = ['a', 'b', 'c'].map((name) => {
    const service = new Service();
    service.describe({ attributes: [{ key: 'service.name', value: { stringValue: name } }] });
    return service;
  });
  const spanOf = ([service, startedAt, ms, isAdjusted]: [number, number, number, boolean]): RecordedSpan =>
    ({ service: services[service], startedAt, endedAt: startedAt + ms, isAdjusted }) as RecordedSpan;

  it('gives each span without its parent to the request that it would have if all were compared', () => {
    const span = fc.tuple(fc.nat(2), fc.nat(30), fc.nat(12), fc.boolean()).map(spanOf);
    fc.assert(
      fc.property(fc.array(span, { maxLength: 12 }), fc.array(span, { maxLength: 12 }), (roots, orphans) => {
        const requests = roots.map((root) => ({ root }));
        const found = runningRequests(orphans, requests);
        for (const orphan of orphans) expect(found.get(orphan)).toBe(compared(orphan, requests));
      }),
      { numRuns: 3000 },
    );
  });

  it('compares each span with few requests', () => {
    let reads = 0;
    const count = 3000;
    const requests = Array.from({ length: count }, (_, at) => {
      const root = spanOf([0, at * 10, 9, false]);
      return {
        get root() {
          reads++;
          return root;
        },
      };
    });
    const orphans = requests.map((_, at) => spanOf([0, at * 10 + 5, 1, false]));
    expect(runningRequests(orphans, requests).size).toBe(count);
    expect(reads).toBeLessThan(100 * count);
  });
});

function compared(
  orphan: RecordedSpan,
  requests: readonly { root: RecordedSpan }[],
): { root: RecordedSpan } | undefined {
  const own = requests.filter(({ root }) => root.service.key === orphan.service.key);
  const running = (own.length > 0 ? own : requests).filter(
    ({ root }) =>
      orphan.startedAt >= root.startedAt - 1 && (root.isAdjusted || orphan.startedAt < root.endedAt),
  );
  const last = Math.max(...running.map(({ root }) => root.startedAt));
  const [innermost, ...parallel] = running.filter(({ root }) => root.startedAt === last);
  if (innermost === undefined || parallel.length > 0) return undefined;
  return running.every(({ root }) => root.endedAt >= innermost.root.endedAt) ? innermost : undefined;
}
