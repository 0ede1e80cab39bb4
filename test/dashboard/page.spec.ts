import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { until } from '../support/application.js';
import { sleep } from '../support/tracing.js';
import { type Dashboard, type DashboardOptions, launchBrowser, openDashboard } from './dashboard.js';

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const LONG_MS = 60_000;

describe('the page in a browser', () => {
  let browser: Browser;
  let dashboard: Dashboard;
  beforeAll(async () => {
    browser = await launchBrowser();
  }, LONG_MS);
  afterAll(() => browser.close());
  afterEach(async () => {
    const { complaints } = dashboard;
    await dashboard.close();
    // What its policy refuses is among them.
    expect(complaints).toEqual([]);
  });

  const open = async (options: DashboardOptions = {}) => {
    dashboard = await openDashboard(browser, options);
    return dashboard.page;
  };
  const visited = (path: string) => ({ before: ({ visit }: Pick<Dashboard, 'visit'>) => visit(path) });
  /** The same with a slow operation, once all that is known of it is. */
  const slowOnes = {
    async before({ visit, monitor }: Omit<Dashboard, 'page'>) {
      await visit('/albums');
      await until(() => monitor.getSlowOperations()[0]?.topFunctions !== undefined);
      await sleep(200);
    },
  };
  const overflow = () =>
    dashboard.page.evaluate<number>(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );

  it(
    'leads from a finding to why it was slow and to the code that ran',
    async () => {
      const page = await open(slowOnes);
      const finding = page.locator('.finding', { hasText: 'N+1 queries' });
      await finding.getByText('12 sequential copies of SELECT track').waitFor();
      await finding.getByText(/^seen 1×/).waitFor();
      await finding.getByRole('link', { name: 'See one that was slow' }).click();

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
      const frame = page.locator('.d3-flame-graph .frame', { hasText: 'pbkdf2Sync' }).first();
      await frame.waitFor();
      await frame
        .locator('.d3-flame-graph-label')
        .getByText(/^pbkdf2Sync$/)
        .waitFor();
      const functions = page.locator('.functions tbody tr', { hasText: /^hash/ });
      expect(await functions.textContent()).toMatch(/test\/dashboard\/dashboard\.ts:\d+.*ms/);
      const download = page.getByRole('link', { name: 'Download the profile' });
      const profile = dashboard.monitor.getSlowOperations()[0]?.profile;
      expect(await download.getAttribute('href')).toBe(`profiles/${profile}`);
    },
    LONG_MS,
  );

  it('zooms into the flame graph and marks functions by name, and goes back', async () => {
    const page = await open(slowOnes);
    await page.getByRole('link', { name: 'See one that was slow' }).first().click();
    const hash = page.locator('.d3-flame-graph .frame[name="hash"]').first();
    await hash.waitFor();
    const widthOf = async () => (await hash.boundingBox())?.width ?? 0;
    const before = await widthOf();
    const whole = (await page.locator('.d3-flame-graph').boundingBox())?.width ?? 0;
    expect(before).toBeLessThan(whole - 5);
    const marked = page.locator('.d3-flame-graph rect[fill="var(--marked)"]');
    await page.getByPlaceholder('Mark functions').fill('hash');
    await marked.first().waitFor();
    await page.getByPlaceholder('Mark functions').fill('(hash');
    await marked.first().waitFor({ state: 'detached' });
    await page.locator('.functions').getByRole('button', { name: 'hash' }).click();
    await marked.first().waitFor();
    await hash.click();
    await untilSeen(async () => Math.abs((await widthOf()) - whole) < 2);
    await page.getByRole('button', { name: 'Reset' }).click();
    await untilSeen(async () => Math.abs((await widthOf()) - before) < 2);
    await marked.first().waitFor({ state: 'detached' });
  });

  it('goes on by itself when the application was started anew', async () => {
    const page = await open({
      ...visited('/fine'),
      expected: /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED/,
    });
    const connection = page.locator('.connection');
    await connection.getByText('Live').waitFor();
    await dashboard.restart(async () => {
      await connection.getByText('Reconnecting').waitFor();
      await page.locator('.operations').getByText('GET /fine').waitFor();
    });
    await dashboard.visit('/albums');
    await connection.getByText('Live').waitFor();
    await page.locator('.operations').getByText('GET /albums').waitFor();
    expect(await page.locator('.operations').getByText('GET /fine').count()).toBe(0);
  });

  it('asks again and again while there is no room for one more stream', async () => {
    const abort = new AbortController();
    const page = await open({
      options: { endpoint: { maxStreams: 1 } },
      expected: /503/,
      async before({ application, visit }) {
        await fetch(`${application.url}/performance/stream`, { signal: abort.signal });
        await visit('/fine');
      },
    });
    await page.locator('.connection').getByText('Every 5 s').waitFor();
    await page.locator('.operations').getByText('GET /fine').waitFor();
    await dashboard.visit('/albums');
    await page.locator('.operations').getByText('GET /albums').waitFor({ timeout: 8000 });
    abort.abort();
  });

  it('asks for the token, refuses another one, and opens with it', async () => {
    const page = await open({
      ...visited('/fine'),
      options: { endpoint: { token: 'a-token-of-some-length' } },
      expected: /403/,
    });
    await page.getByRole('heading', { name: 'This page is protected' }).waitFor();
    await page.getByLabel('Token').fill('something else');
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByRole('alert').getByText('That is not the token.').waitFor();
    expect(await page.getByText('GET /fine').count()).toBe(0);
    await page.getByLabel('Token').fill('a-token-of-some-length');
    await page.getByRole('button', { name: 'Open' }).click();
    await page.locator('.operations').getByText('GET /fine').waitFor();
    await page.locator('.connection').getByText('Live').waitFor();
    expect(await page.evaluate('document.cookie')).toBe('');
  });

  it('says what to do while nothing was recorded, and shows the first request by itself', async () => {
    const page = await open();
    await page.getByRole('heading', { name: 'Nothing was recorded yet' }).waitFor();
    await page.getByText('Waiting').first().waitFor();
    await dashboard.visit('/fine');
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
    // The address bears it, so it can be opened anew.
    await page.reload();
    await page.getByRole('heading', { level: 1, name: shown }).waitFor();
  });

  it('keeps a name of ten thousand characters in its place', async () => {
    const page = await open({
      before({ monitor }) {
        const name = 'x'.repeat(10_000);
        monitor.record({ type: 'calculation', name, durationMs: 900, thresholdMs: 100, error: false });
      },
    });
    const row = page.locator('.operations tbody tr');
    await row.waitFor();
    expect((await row.boundingBox())?.height).toBeLessThan(60);
    expect(await overflow()).toBe(0);
  });

  it('stays sorted as it was asked to while figures change, and keeps the focus', async () => {
    const page = await open({
      before({ monitor }) {
        record(monitor, 'often', 10, 20);
        record(monitor, 'slowly', 200, 3);
      },
    });
    const names = () => page.locator('.operations tbody .name').allTextContents();
    const calls = page.getByRole('button', { name: /^Calls\/min/ });
    await calls.click();
    expect(await names()).toEqual(['often', 'slowly']);
    await calls.click();
    expect(await names()).toEqual(['slowly', 'often']);
    expect(await page.locator('th[aria-sort]').getAttribute('aria-sort')).toBe('ascending');

    record(dashboard.monitor, 'slowly', 200, 40);
    record(dashboard.monitor, 'seldom', 10, 1);
    await page.locator('.operations').getByText('seldom').waitFor();
    expect(await names()).toEqual(['seldom', 'often', 'slowly']);
    expect(await page.locator('th[aria-sort]').getAttribute('aria-sort')).toBe('ascending');
    expect(await page.locator(':focus').textContent()).toMatch(/^Calls\/min/);
    await page.reload();
    await page.locator('.operations').getByText('seldom').waitFor();
    expect(await names()).toEqual(['seldom', 'often', 'slowly']);
  });

  it('does not move rows while one of them has the focus', async () => {
    const page = await open({
      before({ monitor }) {
        record(monitor, 'first', 300, 9);
        record(monitor, 'second', 200, 9);
      },
    });
    const names = () => page.locator('.operations tbody .name').allTextContents();
    await page.locator('.operations').getByRole('link', { name: 'second' }).focus();
    const before = await names();
    const other = before[0] === 'first' ? 'second' : 'first';
    record(dashboard.monitor, other, 5000, 9);
    await page.locator('.operations tr', { hasText: other }).getByText('18').first().waitFor();
    expect(await names()).toEqual(before);
    expect(await page.locator(':focus').textContent()).toBe('second');
    await page.getByLabel('Filter operations by name').focus();
    await untilSeen(async () => (await names()).join() !== before.join());
    expect(await names()).toEqual([...before].reverse());
  });

  it('is used by the keyboard alone', async () => {
    const page = await open(slowOnes);
    await page.locator('.operations').getByText('GET /albums').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('albums');
    await page.getByText('pg.query').waitFor({ state: 'detached' });
    expect(new URL(page.url()).hash).toBe('#/?q=albums');
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'GET /albums' }).first().focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Its slow times' }).waitFor();
    expect(await page.locator('h1:focus').textContent()).toContain('GET /albums');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Escape');
    await page.locator('.operations').waitFor();
    expect(new URL(page.url()).hash).toBe('#/?q=albums');
    expect(await page.locator(':focus').textContent()).toBe('GET /albums');
  });

  it('is read on a telephone without scrolling sideways', async () => {
    const context: BrowserContextOptions = { viewport: { width: 390, height: 844 }, isMobile: true };
    const page = await open({ ...slowOnes, context });
    await page.locator('.lane-chart canvas').first().waitFor();
    expect(await overflow()).toBe(0);
    await page.locator('.operations').getByText('GET /albums').click();
    await page.getByRole('heading', { name: 'Figures' }).waitFor();
    expect(await overflow()).toBe(0);
    await page.locator('.slow-list a').first().click();
    await page.locator('.d3-flame-graph .frame').first().waitFor();
    expect(await overflow()).toBe(0);
  });

  it('remembers the theme that was chosen', async () => {
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

  it('holds still while it is paused', async () => {
    const page = await open(visited('/fine'));
    await page.getByRole('button', { name: 'Pause live updates' }).click();
    await page.locator('.connection').getByText('Paused').waitFor();
    await dashboard.visit('/albums');
    await sleep(2500);
    expect(await page.locator('.operations').getByText('GET /albums').count()).toBe(0);
    await page.getByRole('button', { name: 'Go on with live updates' }).click();
    await page.locator('.operations').getByText('GET /albums').waitFor();
  });

  it.each(['dark', 'light'] as const)(
    'has no serious fault of accessibility in its %s theme',
    async (colorScheme) => {
      const page = await open({ ...slowOnes, context: { colorScheme } });
      await page.locator('.lane-chart canvas').first().waitFor();
      expect(await faults()).toEqual([]);
      await page.locator('.operations').getByText('GET /albums').click();
      await page.getByRole('heading', { name: 'Figures' }).waitFor();
      expect(await faults()).toEqual([]);
      await page.locator('.slow-list a').first().click();
      await page.locator('.d3-flame-graph .frame').first().waitFor();
      expect(await faults()).toEqual([]);
    },
    LONG_MS,
  );

  async function faults(): Promise<string[]> {
    await dashboard.page.evaluate(AXE);
    return dashboard.page.evaluate<string[]>(`axe.run().then(({ violations }) => violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => id + ': ' + nodes.map(({ html, failureSummary }) => html.slice(0, 200) + ' ' + failureSummary).join(' | ')))`);
  }
});

function record(monitor: Dashboard['monitor'], name: string, durationMs: number, times: number): void {
  for (let time = 0; time < times; time++)
    monitor.record({ type: 'calculation', name, durationMs, thresholdMs: 100, error: false });
}

async function untilSeen(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 6000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('the condition did not come to hold');
    await sleep(50);
  }
}
