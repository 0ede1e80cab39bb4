import { afterEach, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import { reportFormat } from '../../lib/nest/endpoint/accept.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import { HTML_POLICY } from '../../lib/report/html-page.js';
import type { PerformanceReport } from '../../lib/report/report.js';
import { PLATFORMS, startApplication, type TestApplication } from '../support/application.js';

const TOKEN = 'sixteen-characters';
const PATHS = ['report', 'report.json', 'report.md', 'report.html', 'report/schema'];

describe.each(PLATFORMS)('the endpoint of the report on %s', (platform) => {
  let application: TestApplication | undefined;
  const { NODE_ENV } = process.env;
  afterEach(async () => {
    process.env['NODE_ENV'] = NODE_ENV;
    await application?.app.close();
    application = undefined;
  });

  const start = async (options: PerformanceOptions = {}): Promise<void> => {
    application = await startApplication(
      platform,
      {},
      { serviceName: 'shop', serviceVersion: '2.0.0', baseline: { enabled: false }, ...options },
    );
    const monitor = application.app.get(PerformanceMonitor);
    for (const name of ['GET /<script>alert(1)</script>', 'GET /albums'])
      monitor.record({ type: 'http', name, durationMs: 900, thresholdMs: 100, error: false });
  };
  const ask = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${application?.url}/performance/${path}`, { headers });
  const kind = (response: Response): string => String(response.headers.get('content-type'));

  it('returns JSON that conforms to the schema it serves', async () => {
    await start();
    const schema = await ask('report/schema');
    expect(kind(schema)).toBe('application/schema+json; charset=utf-8');
    const validate = new Ajv2020({ strict: true }).compile((await schema.json()) as object);
    for (const path of ['report', 'report.json', 'report?since=1h&limit=1', 'report?since=2026-01-01']) {
      const response = await ask(path, { accept: '*/*' });
      expect([response.status, kind(response)]).toEqual([200, 'application/json; charset=utf-8']);
      const report = (await response.json()) as PerformanceReport;
      expect(validate(report) || validate.errors).toBe(true);
      expect(report.service.name).toBe('shop');
      const slow = report.slowest.filter(({ slowCount }) => slowCount > 0);
      expect(slow).toHaveLength(path.includes('limit=1') ? 1 : 2);
    }
  });

  it('returns Markdown and HTML by Accept and by extension', async () => {
    await start();
    for (const [path, accept] of [
      ['report.md', '*/*'],
      ['report', 'text/markdown'],
    ] as const) {
      const response = await ask(path, { accept });
      expect(kind(response)).toBe('text/markdown; charset=utf-8');
      const markdown = await response.text();
      expect(markdown).toMatch(/^# Performance of shop 2\.0\.0\n/);
      expect(markdown).toContain('| GET /albums | 1 | 1 |');
    }
    for (const [path, accept] of [
      ['report.html', '*/*'],
      ['report', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
    ] as const) {
      const response = await ask(path, { accept });
      expect(kind(response)).toBe('text/html; charset=utf-8');
      expect(response.headers.get('content-security-policy')).toBe(`${HTML_POLICY}; frame-ancestors 'none'`);
      const page = await response.text();
      expect(page).toMatch(/^<!doctype html>/);
      expect(page).not.toContain('<script');
      // A browser asks for no `/favicon.ico`, which the application would count.
      expect(page).toMatch(/<link rel="icon" href="data:image\/svg\+xml,%3Csvg[^"]+">/);
      expect(HTML_POLICY).toContain('img-src data:');
      expect(page).toContain('GET /&#60;script&#62;');
    }
    expect((await ask('report')).headers.get('vary')).toMatch(/accept/i);
  });

  it('forbids caching and content sniffing', async () => {
    await start();
    for (const path of PATHS) {
      const { headers } = await ask(path);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  it.each([
    ['since=yesterday', 'since: received "yesterday", expected a time before now such as 15m'],
    ['since=2999-01-01', 'since: received "2999-01-01"'],
    ['since=1h&since=2h', 'since: received an array'],
    ['since=', 'since: received ""'],
    ['limit=0', 'limit: received "0", expected a whole number from 1 to 100'],
    ['limit=101', 'limit: received "101"'],
    ['limit=x', 'limit: received "x"'],
  ])('rejects %s', async (query, message) => {
    await start();
    for (const path of ['report', 'report.html']) {
      const response = await ask(`${path}?${query}`);
      expect([response.status, kind(response)]).toEqual([400, 'application/json; charset=utf-8']);
      expect(((await response.json()) as { message: string }).message).toContain(
        `Invalid query parameter ${message}`,
      );
    }
  });

  it('requires access to the endpoint', async () => {
    await start();
    for (const path of PATHS) {
      expect((await ask(path, { 'x-forwarded-for': '10.0.0.1' })).status).toBe(403);
      expect((await ask(path, { origin: 'https://evil.example' })).status).toBe(403);
      expect((await ask(path, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    }
    await application?.app.close();
    process.env['NODE_ENV'] = 'production';
    await start({ endpoint: { token: TOKEN } });
    for (const path of PATHS) {
      expect((await ask(path)).status).toBe(403);
      expect((await ask(path, { authorization: `Bearer ${TOKEN}` })).status).toBe(200);
    }
  });

  it('is disabled with the endpoint', async () => {
    await start({ endpoint: { enabled: false } });
    for (const path of PATHS) expect((await ask(path)).status).toBe(404);
  });
});

describe('the accepted report format', () => {
  it.each([
    [undefined, 'json'],
    ['', 'json'],
    ['*/*', 'json'],
    ['image/png', 'json'],
    ['text/html', 'html'],
    ['TEXT/HTML ; q=0.5', 'html'],
    ['text/html;q=0.5, text/markdown;q=0.9', 'md'],
    ['text/html;q=0.2, application/json;level=1;q=0.3', 'json'],
    ['text/html;q=0', 'json'],
    ['text/html;q=moon', 'json'],
    [`${'a/b,'.repeat(1000)}text/html`, 'json'],
  ])('of %s is %s', (accept, format) => expect(reportFormat(accept)).toBe(format));
});
