import { describe, expect, it, jest } from '@jest/globals';
import { ErrorGroups } from '../../lib/explain/error-groups.js';
import { Findings } from '../../lib/explain/findings.js';
import { RequestAnalyzer } from '../../lib/explain/request-analyzer.js';
import type { SlowOperation } from '../../lib/explain/slow-operation.js';
import { resolveOptions } from '../../lib/monitor/resolve-options.js';
import { MAX_LOG_LINES, SlowOperations } from '../../lib/monitor/slow-operations.js';
import type { LiveSpan } from '../../lib/spans/live-span.js';
import { cleanLogText, MAX_LINE } from '../../lib/spans/log-text.js';
import type { OperationLog } from '../../lib/spans/operation-log.js';
import { MAX_CHARACTERS, RequestLines } from '../../lib/spans/request-lines.js';
import { RequestState } from '../../lib/spans/request-state.js';
import { boundedText } from '../../lib/text/bounded-text.js';

const line = (message: string) => ({ level: 'log', context: 'Cats', message });

const log = (lines: number): OperationLog => ({
  lines: Array.from({ length: lines }, (_, index) => ({ level: 'log', offsetMs: index, message: 'x' })),
  omitted: 0,
});

describe('the lines of running requests', () => {
  it('have a limit over all requests, beyond which those that logged first lose theirs', () => {
    const lines = new RequestLines(100);
    const requests = Array.from({ length: 100 }, () => new RequestState(0));
    for (const request of requests)
      for (let number = 0; number < 100; number++) lines.add(request, number, line('x'.repeat(5000)));
    expect(lines.characters).toBeLessThanOrEqual(MAX_CHARACTERS);
    expect(lines.characters).toBeGreaterThan(MAX_CHARACTERS / 2);
    const [first, last] = [requests[0], requests.at(-1)] as [RequestState, RequestState];
    expect(lines.since(0, first)).toBeUndefined();
    expect(lines.since(0, last)?.lines).toHaveLength(100);
    lines.add(first, 200, line('later'));
    expect(lines.since(0, first)).toEqual({
      lines: [{ level: 'log', offsetMs: 200, context: 'Cats', message: 'later' }],
      omitted: 100,
    });
    for (const request of requests) lines.release(request);
    for (const request of requests) lines.release(request);
    expect(lines.characters).toBe(0);
    expect(lines.since(0, last)).toBeUndefined();
  });

  it('take nothing of a request that logs nothing', () => {
    const lines = new RequestLines(20);
    const request = new RequestState(0);
    lines.release(request);
    expect(lines.since(0, request)).toBeUndefined();
    expect(request.lines).toBeUndefined();
  });

  it('are those since the start of an operation within the request', () => {
    const lines = new RequestLines(2);
    const request = new RequestState(0);
    for (const at of [10, 20, 30]) lines.add(request, at, { level: 'log', message: `at ${at}` });
    expect(lines.since(25, request)).toEqual({
      lines: [{ level: 'log', offsetMs: 5, message: 'at 30' }],
      omitted: 0,
    });
    expect(lines.since(10, request)?.omitted).toBe(1);
    expect(lines.since(31, request)).toBeUndefined();
  });
});

describe('the logs of slow operations', () => {
  const operation = (id: string): SlowOperation => ({ id, type: 'http', name: id }) as SlowOperation;

  it('have a limit, beyond which the oldest operations lose theirs', () => {
    const slow = new SlowOperations(200, () => {});
    for (let number = 0; number < 60; number++) slow.add(operation(`${number}`), { log: log(100) });
    expect(slow.logLines).toBe(MAX_LOG_LINES);
    expect(slow.get('0')).toEqual(operation('0'));
    expect(slow.get('59')?.log?.lines).toHaveLength(100);
    slow.limitLogLines(150);
    expect(slow.logLines).toBe(100);
    slow.add(operation('next'), { log: log(100) });
    expect(slow.logLines).toBe(100);
    slow.limitLogLines(Number.POSITIVE_INFINITY);
    slow.add(operation('after'), { log: log(100) });
    expect(slow.logLines).toBe(200);
    slow.clear();
    expect(slow.logLines).toBe(0);
  });

  it('go with their operations', () => {
    const slow = new SlowOperations(2, () => {});
    for (const id of ['a', 'b', 'c']) slow.add({ ...operation(id), name: 'same' }, { log: log(3) });
    expect(slow.logLines).toBe(6);
    slow.update('c', { explanation: 'better' });
    expect(slow.get('c')?.log?.lines).toHaveLength(3);
  });
});

describe('the logs of failures', () => {
  it('have a limit a second, and each finding has that of its latest failure', () => {
    const analyzer = new RequestAnalyzer(
      resolveOptions({}, {}).detection,
      async () => 0,
      () => {},
    );
    const add = jest.spyOn(ErrorGroups.prototype, 'add');
    const fail = (at: number): void => {
      const live = { log: log(1) } as unknown as LiveSpan;
      Object.assign(live, { root: live });
      analyzer.failed(
        { type: 'http', name: 'GET /', durationMs: 1, thresholdMs: 9, error: true, span: undefined },
        live,
        at,
      );
    };
    for (let time = 0; time < 30; time++) fail(5000 + time);
    expect(add.mock.calls.filter(([{ log }]) => log !== undefined)).toHaveLength(20);
    fail(6000);
    expect(add.mock.lastCall?.[0].log).toEqual(log(1));
    analyzer.stop();
    jest.restoreAllMocks();
  });

  it('keep the last 10 lines, and go with their finding', () => {
    const findings = new Findings(1, () => {});
    const observe = (fingerprint: string, lines: number): string =>
      findings.observe(
        {
          ...{ type: 'errors', fingerprint, route: 'GET /', repetitions: 1, ms: 1, traceId: '', spanId: '' },
          ...{ explanation: '', log: log(lines) },
        },
        undefined,
        1,
      ).id;
    const id = observe('a', 25);
    expect(findings.get(id)?.log).toEqual({ lines: log(25).lines.slice(15), omitted: 15 });
    expect(findings.list()[0]).not.toHaveProperty('log');
    observe('b', 1);
    expect(findings.get(id)).toBeUndefined();
    expect(findings.get(observe('a', 2))?.log?.lines).toHaveLength(2);
  });
});

describe('a line of a log', () => {
  it.each([
    ['one\n  two\tthree\u0007', 'one two three'],
    ['\u001b[1;31mred\u001b[0m \u001b]8;;https://a.b\u0007link\u001b]8;;\u0007', 'red link'],
    ['mail to bob.smith+x@mail.example.co.uk, please', 'mail to ?, please'],
    ['token=abc password: "a b" apiKey=1 passcode: 1', 'token=? password: ? apiKey=? passcode: ?'],
    ['{"password":"hunter2","name":"bob"}', '{"password":?,"name":"bob"}'],
    ['Cookie: a=b; c=d', 'Cookie: ?'],
    ['bearer abcdefghi1', 'bearer ?'],
    ['eyJhbGciOiJIUzI1NiIsInR5cCI6.eyJzdWIiOiIxMjM0NTY3ODkw.abc', '?'],
    ['redis://user:pw@host:6379/0', 'redis://host:6379/0'],
    ['card 4111-1111-1111-1111 or 4111111111111111', 'card ? or ?'],
    ["UPDATE users SET pin = '4711' WHERE id = 5", 'update users set pin = ? where id = ?'],
    ["failed: insert into t values (1, 'x')", 'failed: insert into t values (?)'],
    ['https://hooks.slack.com/services/T1/B1/secret', 'https://hooks.slack.com/?'],
  ])('is kept without secrets: %j', (text, expected) => {
    expect(cleanLogText(text)).toBe(expected);
  });

  it.each([
    'Loaded 17 albums of artist 42 in 12 ms',
    'order 2f1f8a9c-5b1e-4f0e-9d5a-0e8f6f1f2a3b was paid',
    'GET /albums/12/tracks 200',
    'AlbumsRepositoryImplementation_v2 selected the source from 3',
    'src/albums/albums.service.ts:12:5',
    'at 2026-12-01T10:00:00.000Z, 1764583200000',
    'please select one of the options',
  ])('is kept as it is: %j', (text) => {
    expect(cleanLogText(text)).toBe(text);
  });

  it('is cut, and a word that was cut is no part of it', () => {
    expect(cleanLogText('word '.repeat(1000))).toHaveLength(MAX_LINE);
    const secret = `${'long text '.repeat(99)}password=hunter2hunter2`;
    expect(cleanLogText(secret.slice(0, 1000))).not.toContain('hunter');
    expect(cleanLogText('x'.repeat(1000))).toBe('…');
  });
});

describe('a value as text', () => {
  class Own extends Error {}
  it.each([
    ['text', 'text'],
    [
      { a: 1, b: ['x', null], c: { d: { e: { f: 1 } } } },
      "{ a: 1, b: ['x', null], c: { d: { e: [object] } } }",
    ],
    [{ authorization: 'Basic x', cookie: { a: 1 } }, '{ authorization: ?, cookie: ? }'],
    [new Own('lost'), 'Own: lost'],
    [Object.assign(new Error('x'), { name: 'Renamed' }), 'Renamed: ?'],
    [new Error(''), 'Error'],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [new Date(Number.NaN), 'Invalid Date'],
    [new Map([['a', 1]]), '[object]'],
    [Buffer.from('secret'), '[object]'],
    [() => 'secret', '[function]'],
    [[[[['deep']]]], '[[[[array]]]]'],
    [Object.create({ inherited: 1 }), '{}'],
  ])('is short: %j', (value, expected) => {
    expect(boundedText(value, 1000)).toBe(expected);
  });

  it('is never longer than it may be', () => {
    const value = Object.fromEntries(
      Array.from({ length: 1000 }, (_, index) => [`key${index}`, 'x'.repeat(99)]),
    );
    expect(boundedText(value, 300).length).toBeLessThanOrEqual(300);
    expect(boundedText([value, value], 50)).toHaveLength(50);
    expect(boundedText(Object.fromEntries(Object.keys(value).map((key) => [key, 1])), 1000)).toMatch(
      /key19: 1, … \}$/,
    );
  });
});
