import { describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { inBrowser, LONG_MS, record, withSlowOperation } from './browser.js';

/** Whether `Intl` accepts the language of the browser. */
const isAccepted = (page: Page): Promise<unknown> =>
  page.evaluate('try { Intl.getCanonicalLocales(navigator.language).length === 1 } catch { false }');

/** Opens every view that formats numbers or times. */
async function openViews(page: Page): Promise<void> {
  await page.locator('.lane-chart svg').nth(4).waitFor();
  await page.getByRole('link', { name: 'Slow execution' }).first().click();
  await page.locator('.d3-flame-graph .frame').first().waitFor();
}

describe.each(['POSIX', 'C', 'de_DE.UTF-8'])('the page in a browser started with LC_ALL=%s', (locale) => {
  const { open } = inBrowser({ LC_ALL: locale, LANG: '', LANGUAGE: '' });

  it(
    'shows all views',
    async () => openViews(await open({ ...withSlowOperation, context: { locale: undefined } })),
    LONG_MS,
  );
});

describe('the page in a browser', () => {
  const { open, dashboard } = inBrowser();

  it.each(['en-US@posix', 'c', ''])(
    'with the language "%s", which Intl rejects, shows all views',
    async (language) => {
      const page = await open({
        ...withSlowOperation,
        script: `
          Object.defineProperty(Navigator.prototype, 'language', { get: () => ${JSON.stringify(language)} });
          Object.defineProperty(Navigator.prototype, 'languages', { get: () => [${JSON.stringify(language)}] });`,
      });
      expect(await isAccepted(page)).toBe(false);
      await openViews(page);
    },
    LONG_MS,
  );

  it.each(['Asia/Kathmandu', 'America/St_Johns', 'Pacific/Apia'])(
    'in the time zone %s shows local times',
    async (timezoneId) => {
      const page = await open({ ...withSlowOperation, context: { timezoneId } });
      await page.locator('.lane-chart svg').nth(4).waitFor();
      // After the first sample, so that it lies within the charts.
      record(dashboard().monitor, 'rebuild', 900, 1);
      const options = { timeZone: timezoneId, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
      const clock = new Intl.DateTimeFormat('en', options);
      const { timestamp = 0 } = dashboard().monitor.getSlowOperations()[0] ?? {};
      await page.locator('.marks a', { hasText: 'rebuild' }).focus();
      await page
        .locator('.lane-label', { hasText: `rebuild, 900 ms, ${clock.format(timestamp)}:` })
        .waitFor();
    },
    LONG_MS,
  );
});
