import { describe, expect, it } from '@jest/globals';
import {
  inBrowser,
  LONG_MS,
  overflow,
  record,
  untilSeen,
  violationsOf,
  withSlowOperation,
} from './browser.js';
import type { DashboardOptions } from './dashboard.js';

/** A slow request with its statements, and slow operations of another type. */
const withDifferent: Pick<DashboardOptions, 'before'> = {
  async before(dashboard) {
    await withSlowOperation.before?.(dashboard);
    await dashboard.visit('/albums');
    record(dashboard.monitor, 'rebuild', 900, 3);
    record(dashboard.monitor, 'prune', 200, 1);
  },
};

describe('finding a slow operation', () => {
  const { open, dashboard } = inBrowser();

  it(
    'by type, cause, duration, text and trace ID, with the filter in the address',
    async () => {
      const page = await open(withDifferent);
      const names = page.locator('.slow-list > li .name');
      const shown = (...expected: string[]): Promise<void> =>
        untilSeen(
          // Two executions of a request may have different causes, and an entry each.
          async () => [...new Set(await names.allTextContents())].join() === expected.join(),
        );
      await shown('prune', 'rebuild', 'GET /albums');
      await page.getByLabel('Filter slow operations by type').selectOption('calculation');
      await shown('prune', 'rebuild');
      await page.getByLabel('Filter slow operations by duration').selectOption('500');
      await shown('rebuild');
      expect(new URL(page.url()).hash).toBe('#/?kind=calculation&least=500');
      await page.reload();
      await shown('rebuild');
      await page.getByLabel('Filter slow operations by type').selectOption('');
      await page.getByLabel('Filter slow operations by duration').selectOption('');
      await page.getByLabel('Filter slow operations by time').selectOption('5m');
      await page.getByLabel('Filter slow operations by cause').selectOption('gc');
      await page.getByText('No slow operation that is kept matches.').waitFor();
      await page.getByLabel('Filter slow operations by cause').selectOption('');
      const [{ traceId } = { traceId: '' }] = dashboard().monitor.getSlowOperations({ type: 'http' });
      await page.getByLabel('Search slow operations').fill(traceId.toUpperCase());
      await shown('GET /albums');
      await page.getByLabel('Search slow operations').fill('');
      await page.getByLabel('Filter slow operations by status').selectOption('failed');
      await page.getByText('No slow operation that is kept matches.').waitFor();
    },
    LONG_MS,
  );

  it.each([1280, 390])(
    'by keyboard, from the filter of operations, with repetitions folded, at %i pixels',
    async (width) => {
      const page = await open({ ...withDifferent, context: { viewport: { width, height: 844 } } });
      await page.locator('.operations').getByText('GET /albums').waitFor();
      await page.keyboard.press('/');
      await page.keyboard.type('rebuild of');
      await page.getByRole('link', { name: 'Search the slow operations for rebuild of' }).press('Enter');
      await page.getByText('No slow operation that is kept matches.').waitFor();
      await page.getByLabel('Search slow operations').fill('rebuild');
      await page.getByText('3 executions; this is the longest').press('Enter');
      expect(await page.locator('.slow-others li').count()).toBe(3);
      expect(await overflow(page)).toBe(0);
      expect(await violationsOf(page)).toEqual([]);
      await page.locator('.slow-others a').last().press('Enter');
      await page.getByRole('heading', { level: 1, name: 'rebuild' }).waitFor();
    },
  );

  it('lists each execution of an operation on its page', async () => {
    const page = await open({ ...withDifferent, hash: '#/operation/calculation/rebuild' });
    await page.getByText('3 executions; this is the longest').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('SELECT nothing');
    await page.getByText('No slow operation that is kept matches.').waitFor();
    expect(new URL(page.url()).hash).toBe('#/operation/calculation/rebuild?find=SELECT+nothing');
    await page.reload();
    await page.getByText('No slow operation that is kept matches.').waitFor();
  });
});
