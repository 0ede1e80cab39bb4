import { describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { inBrowser, LONG_MS, overflow, violationsOf, visited } from './browser.js';

/** Keeps what is copied, as a browser without a window has no clipboard. */
const script = `Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (text) => { window.copied = text; } } });`;

const copied = (page: Page): Promise<string> => page.evaluate('window.copied ?? ""');

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
