import { describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { inBrowser, LONG_MS, overflow, violationsOf, visited, withSlowOperation } from './browser.js';

/** Keeps what is copied, as a browser without a window has no clipboard. */
const script = `Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (text) => { window.copied = text; } } });`;

const copied = (page: Page): Promise<string> => page.evaluate('window.copied ?? ""');

describe('the page of a slow execution', () => {
  const { open, dashboard } = inBrowser();

  it.each([
    [1280, 900],
    [390, 844],
  ])(
    'shows its log, and copies its evidence for an agent, at %i x %i',
    async (width, height) => {
      const page = await open({
        ...withSlowOperation,
        options: { logging: { keep: true } },
        context: { viewport: { width, height } },
        script,
      });
      await page.locator('.slow-list a', { hasText: 'GET /albums' }).first().click();
      const log = page.locator('#log');
      await log.getByText('hashes with password=?').waitFor();
      expect(await log.locator('li').first().textContent()).toMatch(
        /^\+\d+.mswarnShop hashes with password=\?$/,
      );
      await page.getByRole('button', { name: 'Copy for an agent' }).press('Enter');
      await page.getByText('Copied').waitFor();
      const text = await copied(page);
      expect(text).toMatch(/^# Slow execution of `GET \/albums`\n/);
      expect(text).toContain('warn [Shop] hashes with password=?');
      expect(text).not.toMatch(/hunter2|album_id = \d/);
      expect(await overflow(page)).toBe(0);
      expect(await violationsOf(page)).toEqual([]);
      await dashboard().visit('/failing');
      await page.goto(`${dashboard().application.url}/performance`);
      await page.locator('.finding', { hasText: 'TypeError' }).getByText('Log of the latest failure').click();
      await page.getByText('no such album').waitFor();
      expect(await overflow(page)).toBe(0);
    },
    LONG_MS,
  );
});

describe('the first view of the page', () => {
  const { open } = inBrowser();

  it.each([
    [1280, 900],
    [390, 844],
  ])(
    'has the next step with its line and a finding, whose evidence can be copied, at %i x %i',
    async (width, height) => {
      const page = await open({
        ...visited('/albums'),
        options: { endpoint: { sourceUrl: 'https://example.org/{commit}/{file}#L{line}' } },
        context: { viewport: { width, height } },
        script,
      });
      const finding = page.locator('.finding', { hasText: 'N+1 queries' });
      await finding.getByRole('link', { name: 'Open' }).waitFor();
      const { y = height } = (await page.locator('.finding').first().boundingBox()) ?? {};
      expect(y + 60).toBeLessThan(height);
      expect(await finding.getByRole('link', { name: 'Open' }).getAttribute('href')).toMatch(
        /^https:\/\/example\.org\/HEAD\/test\/dashboard\/dashboard\.ts#L\d+$/,
      );
      const banner = page.locator('.next-step');
      expect(await banner.textContent()).toMatch(/^Next step .*dashboard\.ts:\d+/);

      await finding.getByRole('button', { name: 'Copy for an agent' }).press('Enter');
      await finding.getByText('Copied').waitFor();
      const text = await copied(page);
      expect(text).toMatch(/^# N\+1 queries in `GET \/albums`\n/);
      expect(text).toContain('select * from track where album_id = ?');
      expect(text).not.toMatch(/album_id = \d/);
      expect(await overflow(page)).toBe(0);
      expect(await violationsOf(page)).toEqual([]);
    },
    LONG_MS,
  );
});
