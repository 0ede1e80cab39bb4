import { describe, expect, it } from '@jest/globals';
import type { BrowserContextOptions } from 'playwright-core';
import { inBrowser, LONG_MS, overflow, violationsOf, withSlowOperation } from './browser.js';

describe('the accessibility of the page', () => {
  const { open } = inBrowser();

  it('works by keyboard alone', async () => {
    const page = await open(withSlowOperation);
    await page.locator('.operations').getByText('GET /albums').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('albums');
    await page.getByText('pg.query').waitFor({ state: 'detached' });
    expect(new URL(page.url()).hash).toBe('#/?q=albums');
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'GET /albums' }).first().focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Slow executions' }).waitFor();
    expect(await page.locator('h1:focus').textContent()).toContain('GET /albums');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Escape');
    await page.locator('.operations').waitFor();
    expect(new URL(page.url()).hash).toBe('#/?q=albums');
    expect(await page.locator(':focus').textContent()).toBe('GET /albums');
  });

  it('fits a phone without horizontal scrolling', async () => {
    const context: BrowserContextOptions = { viewport: { width: 390, height: 844 }, isMobile: true };
    const page = await open({ ...withSlowOperation, context });
    await page.locator('.lane-chart svg').first().waitFor();
    expect(await overflow(page)).toBe(0);
    await page.locator('.operations').getByText('GET /albums').click();
    await page.getByRole('heading', { name: 'Figures' }).waitFor();
    expect(await overflow(page)).toBe(0);
    await page.locator('.slow-list a').first().click();
    await page.locator('.d3-flame-graph .frame').first().waitFor();
    expect(await overflow(page)).toBe(0);
  });

  it('stores the selected theme', async () => {
    const page = await open({ context: { colorScheme: 'light' } });
    const dark = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    const before = await dark();
    await page.getByRole('button', { name: 'Switch to the dark theme' }).click();
    const after = await dark();
    expect(after).not.toBe(before);
    await page.reload();
    await page.getByRole('button', { name: 'Switch to the light theme' }).waitFor();
    expect(await dark()).toBe(after);
  });

  it.each(['dark', 'light'] as const)(
    'has no serious accessibility violation in the %s theme',
    async (colorScheme) => {
      const page = await open({ ...withSlowOperation, context: { colorScheme } });
      await page.locator('.lane-chart svg').first().waitFor();
      expect(await violationsOf(page)).toEqual([]);
      await page.locator('.operations').getByText('GET /albums').click();
      await page.getByRole('heading', { name: 'Figures' }).waitFor();
      expect(await violationsOf(page)).toEqual([]);
      await page.locator('.slow-list a').first().click();
      await page.locator('.d3-flame-graph .frame').first().waitFor();
      expect(await violationsOf(page)).toEqual([]);
    },
    LONG_MS,
  );
});
