import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../support/child-app.js';

/** What an expression of the modules in tools/fleet returns, evaluated by Node, as they are run by it. */
function evaluate<T>(imports: Record<string, string>, expression: string): T {
  const lines = Object.entries(imports).map(
    ([file, names]) =>
      `import { ${names} } from ${JSON.stringify(`file://${join(ROOT, 'tools/fleet', file)}`)};`,
  );
  const program = `${lines.join('\n')}
    const message = async (call) => { try { return await call(); } catch (error) { return { error: error.message }; } };
    process.stdout.write(JSON.stringify((await message(() => (${expression}))) ?? null));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', program], { cwd: ROOT });
  return JSON.parse(output.toString()) as T;
}

describe('replaceAddresses', () => {
  const replace = (text: string, replacements: object): unknown =>
    evaluate(
      { 'addresses.mjs': 'replaceAddresses' },
      `replaceAddresses(${JSON.stringify(text)}, ${JSON.stringify(replacements)})`,
    );

  test('replaces each address, and nothing else', () => {
    expect(
      replace('endpoint: tempo:4317\nurl: http://prometheus:9090/api # as tempo:3200\n', {
        'tempo:4317': '127.0.0.1:1',
        'prometheus:9090': '127.0.0.1:2',
      }),
    ).toBe('endpoint: 127.0.0.1:1\nurl: http://127.0.0.1:2/api # as tempo:3200\n');
  });

  test('does not replace what it has written', () => {
    expect(replace('a: one:1000\nb: two:2000', { 'one:1000': 'two:2000', 'two:2000': '127.0.0.1:3' })).toBe(
      'a: two:2000\nb: 127.0.0.1:3',
    );
  });

  test('fails for an address that does not occur', () => {
    expect(replace('endpoint: tempo:43170', { 'tempo:4317': '127.0.0.1:1' })).toEqual({
      error: 'Nothing to replace: "tempo:4317" does not occur',
    });
  });

  test.each(['0.0.0.0:4317', 'localhost:9090', 'otel-collector:4317'])('fails if %s remains', (address) => {
    expect(replace(`a: tempo:3200\nb: ${address}`, { 'tempo:3200': '127.0.0.1:1' })).toEqual({
      error: `Not replaced: the address "${address}" remains`,
    });
  });
});

describe('divideDurations', () => {
  const divide = (text: string, divisor: number): unknown =>
    evaluate({ 'time-scale.mjs': 'divideDurations' }, `divideDurations(${JSON.stringify(text)}, ${divisor})`);

  test('divides ranges and fields, and no labels or numbers', () => {
    expect(
      divide('expr: rate(x{window="5m"}[5m]) > 14.4\nfor: 10m\n  - interval: 1h\n# in 5m\nname: rate5m', 60),
    ).toBe(
      'expr: rate(x{window="5m"}[5000ms]) > 14.4\nfor: 10000ms\n  - interval: 60000ms\n# in 5m\nname: rate5m',
    );
  });

  test('fails without a duration', () => {
    expect(divide('for: soon', 60)).toEqual({ error: 'Nothing to divide: there is no duration' });
  });
});

describe('TraceQL without Tempo', () => {
  const SPANS = [
    {
      span: { 'performance.slow': true, 'performance.slowness_ratio': 4.5 },
      resource: { 'service.name': 'shop' },
    },
    { span: { 'performance.slowness_ratio': '4.5' }, resource: { 'service.name': 'shop' }, status: 2 },
    { span: { 'http.request.method': 'GET' }, resource: { 'service.name': 'other' }, status: 1 },
  ];
  const selects = (query: string): unknown =>
    evaluate(
      { 'traceql.mjs': 'matches, parseTraceQl' },
      `${JSON.stringify(SPANS)}.map((span) => matches(parseTraceQl(${JSON.stringify(query)}), span))`,
    );

  test.each([
    ['{ span.performance.slow = true }', [true, false, false]],
    ['{ span.performance.slowness_ratio > 3 }', [true, false, false]],
    ['{ span.http.request.method != nil }', [false, false, true]],
    ['{ resource.service.name = "shop" && status = error }', [false, true, false]],
    ['{ span.no.such.attribute = true }', [false, false, false]],
  ])('%s selects the spans that have it, of its type', (query, expected) => {
    expect(selects(query)).toEqual(expected);
  });

  test.each([
    '{ span.performance.slow = = true }',
    '{ span.a = 1 || span.b = 2 }',
    '{ }',
    '{ kind = server }',
  ])('%s is rejected', (query) => {
    expect(selects(query)).toEqual({
      error: expect.stringMatching(/^(?:No TraceQL|Unsupported|No condition)/),
    });
  });

  test('every query of the dashboards and documents can be judged', () => {
    const queries = evaluate<{ where: string; traceql?: string }[]>(
      { 'queries.mjs': 'allDashboardQueries, documentedTraceQl', 'traceql.mjs': 'parseTraceQl' },
      `[...allDashboardQueries('shop'), ...documentedTraceQl()]
        .filter(({ traceql }) => traceql !== undefined)
        .map(({ where, traceql }) => ({ where, ...parseTraceQl(traceql) }))`,
    );
    expect(queries.length).toBeGreaterThan(6);
    expect(new Set(queries.map(({ where }) => where.split(':')[0]))).toEqual(
      new Set([
        'overview.json',
        'regressions.json',
        'runtime.json',
        'slo.json',
        'slow-operations.json',
        'docs/guides/grafana-and-fleets.md',
        'docs/reference/span-attributes.md',
      ]),
    );
  });
});

describe('searches in Jaeger', () => {
  test('are read from the guide', () => {
    const searches = evaluate<{ written: string; tags: Record<string, string> }[]>(
      { 'queries.mjs': 'documentedTags' },
      'documentedTags()',
    );
    expect(searches.length).toBeGreaterThan(3);
    expect(searches).toContainEqual(
      expect.objectContaining({ tags: { 'performance.slow': 'true', 'http.route': '/albums/with-tracks' } }),
    );
  });
});

describe('Results', () => {
  test('counts a check that throws as failed, and goes on', () => {
    const lines = evaluate<string[]>(
      { 'results.mjs': 'Results' },
      `(async () => {
        const lines = [];
        const results = new Results((line) => lines.push(line));
        await results.check('holds', () => 'so far');
        await results.check('does not', () => { throw new Error('as expected'); });
        results.skip('Tempo', 'not there');
        return [...lines, results.summary()];
      })()`,
    );
    expect(lines.at(-1)).toBe('Fleet: 1 assertions hold, 1 do not, 1 parts skipped');
    expect(lines[1]).toContain('FAILED  does not\n          as expected');
  });
});

describe('the webhook', () => {
  test('is added to each receiver of alertmanager.yml', () => {
    const text = evaluate<string>(
      { 'webhook.mjs': 'withWebhook', 'deploy-files.mjs': 'deployed' },
      `withWebhook(deployed('alertmanager/alertmanager.yml'), 'http://127.0.0.1:1')`,
    );
    expect(text.match(/webhook_configs/g)).toHaveLength(2);
    expect(text).toContain('- name: pager\n    webhook_configs: [{ url: "http://127.0.0.1:1/pager"');
  });
});

test('a metric of the simulated instance is one of the application', () => {
  const expose = (name: string, label: string): unknown =>
    evaluate({ 'simulated-instance.mjs': 'expose' }, `expose([['${name}', { ${label}: 'x' }, 1]])`);
  expect(expose('performance_leaks', 'performance_leak_state')).toBe(
    'performance_leaks{performance_leak_state="x"} 1\n',
  );
  expect(expose('performance_leaks', 'state')).toEqual({ error: 'No such metric: performance_leaks{state}' });
  expect(expose('toString', 'state')).toEqual({ error: 'No such metric: toString{state}' });
});
