import { describe, expect, it } from '@jest/globals';
import { SimulatedService } from '../baseline/simulated-service.js';
import { inBrowser, LONG_MS, overflow, violationsOf, withSlowOperation } from './browser.js';
import type { DashboardOptions } from './dashboard.js';

const page = {
  ...withSlowOperation,
  options: { baseline: { enabled: true } },
  hash: '#/operation/http/GET%20%2Falbums',
} satisfies DashboardOptions;

describe('the page of an operation', () => {
  const { open, dashboard } = inBrowser();

  it.each([
    [1280, 'light'],
    [390, 'dark'],
  ] as const)(
    'answers where its time goes without opening an execution, at %i pixels',
    async (width, colorScheme) => {
      const shown = await open({ ...page, context: { viewport: { width, height: 844 }, colorScheme } });
      const time = shown.locator('#time .legend');
      await time.getByText('Database').waitFor();
      expect(await time.getByText('Event loop busy').count()).toBe(1);
      await shown.getByText(/^Mean of 1 execution since the start, with 12 statements each/).waitFor();
      expect(
        await shown
          .getByRole('img', { name: /^Latencies from/ })
          .locator('rect')
          .count(),
      ).toBe(1);
      expect(await shown.locator('#latencies .chart-scale').textContent()).toMatch(/ms/);
      const rowOf = (section: string, text: string | RegExp) =>
        shown.locator(`#${section} tbody tr`, { hasText: text });
      expect(await rowOf('calls', 'SELECT track').textContent()).toMatch(/SELECT track12\d+/);
      expect(await rowOf('statements', 'select * from track where album_id = ?').textContent()).toMatch(/12/);
      expect(await rowOf('figures', 'Calls').textContent()).toBe('Calls1111');
      expect(await overflow(shown)).toBe(0);
      expect(await violationsOf(shown)).toEqual([]);

      const cause = shown.locator('#causes a').first();
      const word = await cause.textContent();
      await cause.press('Enter');
      await shown.locator('.slow-list .cause', { hasText: word ?? '' }).waitFor();
      expect(new URL(shown.url()).hash).toMatch(/^#\/operation\/http\/GET%20%2Falbums\?cause=\w+$/);
      await shown.locator('#calls').getByRole('link', { name: 'SELECT track' }).press('Enter');
      await shown.getByRole('heading', { level: 1, name: 'SELECT track' }).waitFor();
    },
    LONG_MS,
  );

  it('groups its errors by class and line', async () => {
    const shown = await open({
      ...page,
      async before({ visit }) {
        for (let times = 0; times < 3; times++) await visit('/failing');
      },
      hash: '#/operation/http/GET%20%2Ffailing',
    });
    const row = shown.locator('#errors tbody tr');
    await row.getByText('TypeError').waitFor();
    expect(await row.count()).toBe(1);
    expect(await row.textContent()).toMatch(/ShopController\.failing.*dashboard\.ts:\d+.*3(now|\d+.s ago)$/);
  });

  it('shows hours of history with the start of the version, and the previous one', async () => {
    const shown = await open({ ...page, hash: '' });
    const service = new SimulatedService({});
    const medianMs = (minute: number): number => (minute < 400 ? 20 : 80);
    service.run(600, [{ name: 'GET /albums', perMinute: 60, part: 'database', medianMs }]);
    const { periods = [] } = service.baseline.courseOf('http', 'GET /albums') ?? {};
    const middle = periods[Math.floor(periods.length / 2)]?.from ?? 0;
    const latency = { p50Ms: 20, p95Ms: 30, p99Ms: 40, count: 1000 };
    // Hours cannot pass in a test: they are simulated, and everything else of the answer is real.
    await shown.route('**/operation?*', async (route) => {
      const response = await route.fetch();
      await route.fulfill({
        response,
        json: {
          ...(await response.json()),
          periods,
          deploys: [{ at: middle, what: 'version' }],
          versions: { version: '2.0.0', previousVersion: '1.9.0', baseline: latency, previous: latency },
        },
      });
    });
    await shown.goto(`${dashboard().application.url}/performance${page.hash}`);
    const history = shown.locator('#history');
    await history.getByText(/^version 2\.0\.0 since/).waitFor();
    await history.getByRole('img', { name: /^p50 and p99 over (9\.\d|10).h, up to \d+.ms$/ }).waitFor();
    expect(await history.locator('.line-mark').count()).toBe(1);
    expect(await history.locator('tbody th').allTextContents()).toEqual([
      'Previous version 1.9.0',
      'Baseline 2.0.0',
    ]);
    await shown.getByRole('img', { name: /^Time per execution by cause over \d+ periods/ }).waitFor();
    expect(await violationsOf(shown)).toEqual([]);
  });

  it('says so if an operation has no figures', async () => {
    const shown = await open({ ...page, hash: '#/operation/http/GET%20%2Fnothing', expected: /404/ });
    await shown.getByText(/^No figures: this operation has not ended/).waitFor();
  });
});
