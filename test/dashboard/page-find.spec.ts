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

  it.each(['America/New_York', 'Asia/Kolkata'])(
    'by a range of time in the zone of the browser (%s), with the range in the address',
    async (timezoneId) => {
      const page = await open({ ...withDifferent, context: { timezoneId } });
      const names = page.locator('.slow-list > li .name');
      await names.getByText('rebuild').waitFor();
      const nothing = page.getByText('No slow operation that is kept matches.');
      await page.getByLabel('Filter slow operations by time').selectOption('From … to …');
      const hash = (): URLSearchParams => new URLSearchParams(new URL(page.url()).hash.split('?')[1]);
      const hour = Date.parse(hash().get('from') ?? '');
      expect(Math.abs(Date.now() - 3_600_000 - hour)).toBeLessThan(120_000);
      expect([...hash().keys()]).toEqual(['from']);
      await names.getByText('rebuild').waitFor();
      const minute = 60_000;
      const inZone = (at: number): string => {
        const parts = new Intl.DateTimeFormat('sv-SE', {
          ...{ timeZone: timezoneId, dateStyle: 'short', timeStyle: 'short' },
        }).format(at);
        return parts.replace(' ', 'T');
      };
      expect(await page.getByLabel('From', { exact: true }).inputValue()).toBe(inZone(hour));
      const end = Math.floor(Date.now() / minute) * minute;
      await page.getByLabel('to', { exact: true }).fill(inZone(end - 10 * minute));
      await nothing.waitFor();
      expect(hash().get('to')).toBe(new Date(end - 10 * minute).toISOString().replace(':00.000Z', 'Z'));
      await page.getByLabel('to', { exact: true }).fill(inZone(end + 10 * minute));
      await names.getByText('rebuild').waitFor();
      await page.reload();
      await names.getByText('rebuild').waitFor();
      expect(await page.getByLabel('to', { exact: true }).inputValue()).toBe(inZone(end + 10 * minute));
      await page.getByLabel('From', { exact: true }).fill(inZone(end + 5 * minute));
      await nothing.waitFor();
      expect(await overflow(page)).toBe(0);
      expect(await violationsOf(page)).toEqual([]);
      await page.getByLabel('to', { exact: true }).fill('');
      await nothing.waitFor();
      expect([...hash().keys()]).toEqual(['from']);
      await page.getByLabel('Filter slow operations by time').selectOption('Last 5 min');
      await names.getByText('rebuild').waitFor();
      expect(new URL(page.url()).hash).toBe('#/?last=5m');
      expect(await page.getByLabel('From', { exact: true }).count()).toBe(0);
    },
    LONG_MS,
  );

  it('by a range of an address, of which what is no time is ignored', async () => {
    const page = await open({ ...withDifferent, hash: '#/?from=2020-01-01T00:00Z&to=2020-01-02T00:00Z' });
    await page.getByText('No slow operation that is kept matches.').waitFor();
    expect(await page.getByLabel('Filter slow operations by time').inputValue()).toBe('range');
    await page.goto(`${dashboard().application.url}/performance#/?from=2026-99-01T00:00Z&to=x`);
    await page.locator('.slow-list > li .name').getByText('rebuild').waitFor();
    await page.goto(
      `${dashboard().application.url}/performance#/?from=0002-01-01T00:00Z&to=9999-12-31T23:59Z`,
    );
    await page.locator('.slow-list > li .name').getByText('rebuild').waitFor();
  });

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
