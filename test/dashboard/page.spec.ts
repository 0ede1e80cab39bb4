import { describe, expect, it } from '@jest/globals';
import { inBrowser, LONG_MS, overflow, record, untilSeen, visited, withSlowOperation } from './browser.js';

describe('the page in a browser', () => {
  const { open, dashboard } = inBrowser();

  it(
    'links a finding to its slow execution with causes and CPU profile',
    async () => {
      const page = await open(withSlowOperation);
      const finding = page.locator('.finding', { hasText: 'N+1 queries' });
      await finding.getByText('12 sequential copies of SELECT track').waitFor();
      await finding.getByText(/^found 1×/).waitFor();
      await finding.getByRole('link', { name: 'Slow execution' }).click();

      await page.getByRole('heading', { level: 1, name: 'GET /albums' }).waitFor();
      await page
        .locator('.why')
        .getByText(/GET \/albums took \d+ ms \(threshold 100/)
        .waitFor();
      const causes = page.locator('#causes tbody tr');
      expect(await causes.allTextContents()).toEqual(
        expect.arrayContaining([
          expect.stringMatching(/^Own JavaScript.*%$/),
          expect.stringMatching(/^N\+1 queries.*SELECT track 12×.*%$/),
        ]),
      );
      const statements = page.locator('.waterfall li', { hasText: 'SELECT track' });
      expect(await statements.count()).toBe(1);
      expect(await statements.locator('.waterfall-bar').count()).toBe(12);
      await page.getByRole('button', { name: 'Show each of 12 SELECT track' }).press('Enter');
      await statements.nth(11).waitFor();
      const frame = page.locator('.d3-flame-graph .frame', { hasText: 'pbkdf2Sync' }).first();
      await frame.waitFor();
      await frame
        .locator('.d3-flame-graph-label')
        .getByText(/^pbkdf2Sync$/)
        .waitFor();
      const functions = page.locator('.functions tbody tr', { hasText: /^hash/ });
      expect(await functions.textContent()).toMatch(/test\/dashboard\/dashboard\.ts:\d+.*ms/);
      const download = page.getByRole('link', { name: 'Download profile' });
      const profile = dashboard().monitor.getSlowOperations()[0]?.profile;
      expect(await download.getAttribute('href')).toBe(`profiles/${profile}`);
    },
    LONG_MS,
  );

  it('zooms the flame graph, highlights functions by name, and resets both', async () => {
    const page = await open(withSlowOperation);
    await page.getByRole('link', { name: 'Slow execution' }).first().click();
    const hash = page.locator('.d3-flame-graph .frame[name="hash"]').first();
    await hash.waitFor();
    const widthOf = async () => (await hash.boundingBox())?.width ?? 0;
    const before = await widthOf();
    const whole = (await page.locator('.d3-flame-graph').boundingBox())?.width ?? 0;
    expect(before).toBeLessThan(whole - 5);
    const marked = page.locator('.d3-flame-graph rect[fill="var(--marked)"]');
    await page.getByPlaceholder('Highlight functions').fill('hash');
    await marked.first().waitFor();
    await page.getByPlaceholder('Highlight functions').fill('(hash');
    await marked.first().waitFor({ state: 'detached' });
    await page.locator('.functions').getByRole('button', { name: 'hash' }).click();
    await marked.first().waitFor();
    await hash.click();
    await untilSeen(async () => Math.abs((await widthOf()) - whole) < 2);
    await page.getByRole('button', { name: 'Reset' }).click();
    await untilSeen(async () => Math.abs((await widthOf()) - before) < 2);
    await marked.first().waitFor({ state: 'detached' });
  });

  it('marks slow operations above the resources, with links to them', async () => {
    const page = await open(visited('/fine'));
    await page.locator('.lane-chart svg').nth(4).waitFor();
    record(dashboard().monitor, 'rebuild', 900, 1);
    const mark = page.locator('.marks a');
    await mark.focus();
    await page
      .locator('.lane-label')
      .getByText(/^rebuild, 900.ms, \d\d:\d\d:\d\d$/)
      .waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'rebuild' }).waitFor();
  });

  it('works with a trailing slash in its address', async () => {
    const page = await open({ ...visited('/fine'), hash: '/' });
    await page.locator('.operations').getByText('GET /fine').click();
    await page.getByRole('heading', { level: 1, name: 'GET /fine' }).waitFor();
    expect(new URL(page.url())).toMatchObject({
      pathname: '/performance/',
      hash: '#/operation/http/GET%20%2Ffine',
    });
  });

  it('reports a slow operation that no longer exists', async () => {
    const page = await open({ ...visited('/fine'), hash: '#/slow/0000000000000000', expected: /404/ });
    await page.getByRole('heading', { name: 'Slow operation not found' }).waitFor();
    await page.getByRole('link', { name: /^Overview/ }).click();
    await page.locator('.operations').getByText('GET /fine').waitFor();
  });

  it('shows first steps while no operations are recorded, then the first request', async () => {
    const page = await open();
    await page.getByRole('heading', { name: 'No operations recorded yet' }).waitFor();
    await page.getByText('Waiting').first().waitFor();
    await dashboard().visit('/fine');
    await page.locator('.operations').getByText('GET /fine').waitFor();
    await page.getByText('Healthy').waitFor();
  });

  it('shows names with markup and control characters as text', async () => {
    const name = '<img src=x onerror="document.title=1">\u001b[31m\u202e &amp;';
    const page = await open({
      before({ monitor }) {
        monitor.record({ type: 'calculation', name, durationMs: 900, thresholdMs: 100, error: true });
      },
    });
    const shown = '<img src=x onerror="document.title=1">␛[31m⟨202E⟩ &amp;';
    await page.locator('.operations').getByText(shown).click();
    await page.getByRole('heading', { level: 1, name: shown }).waitFor();
    expect(await page.locator('img').count()).toBe(0);
    const text = (await page.locator('body').textContent()) ?? '';
    expect(text.includes('\u001b') || text.includes('\u202e')).toBe(false);
    // The address contains the name, so a reload shows it again.
    await page.reload();
    await page.getByRole('heading', { level: 1, name: shown }).waitFor();
  });

  it('truncates a name of ten thousand characters', async () => {
    const page = await open({
      before({ monitor }) {
        const name = 'x'.repeat(10_000);
        monitor.record({ type: 'calculation', name, durationMs: 900, thresholdMs: 100, error: false });
      },
    });
    const row = page.locator('.operations tbody tr');
    await row.waitFor();
    expect((await row.boundingBox())?.height).toBeLessThan(60);
    expect(await overflow(page)).toBe(0);
  });
});
