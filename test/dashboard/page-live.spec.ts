import { describe, expect, it } from '@jest/globals';
import { sleep } from '../support/tracing.js';
import { inBrowser, record, untilSeen, visited, withSlowOperation } from './browser.js';

describe('the page during changes', () => {
  const { open, dashboard } = inBrowser();

  it('reconnects after a restart of the application', async () => {
    const page = await open({
      ...visited('/fine'),
      // An application that is ending refuses streams.
      expected: /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|503|connection to .*stream/,
    });
    const connection = page.locator('.connection');
    await connection.getByText('Live').waitFor();
    await dashboard().restart(async () => {
      await connection.getByText('Reconnecting').waitFor();
      await page.locator('.operations').getByText('GET /fine').waitFor();
    });
    await dashboard().visit('/albums');
    await connection.getByText('Live').waitFor();
    await page.locator('.operations').getByText('GET /albums').waitFor();
    expect(await page.locator('.operations').getByText('GET /fine').count()).toBe(0);
  });

  it('opens a link to a slow execution with a profile after a restart', async () => {
    const page = await open({ ...withSlowOperation, expected: /ERR_|503|404/ });
    await page.locator('.slow-list a', { hasText: 'GET /albums' }).first().click();
    await page.locator('.d3-flame-graph .frame').first().waitFor();
    await dashboard().restart(async () => {});
    expect(dashboard().monitor.getSlowOperations()).toEqual([]);
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'GET /albums' }).waitFor();
    await page.getByRole('heading', { name: 'Waterfall' }).waitFor();
    await page.locator('.d3-flame-graph .frame').first().waitFor();
  });

  it('streams again when the application is back, whatever a proxy said meanwhile', async () => {
    const page = await open({ ...visited('/fine'), expected: /ERR_|502|establish a connection .*stream/ });
    const connection = page.locator('.connection');
    await connection.getByText('Live').waitFor();
    const answers = '**/performance/{stream,overview}';
    await page.route(answers, (route) => route.fulfill({ status: 502 }));
    await dashboard().restart(() => connection.getByText('Reconnecting').waitFor());
    await page.waitForResponse((response) => response.status() === 502);
    await page.unroute(answers);
    await connection.getByText('Live').waitFor();
  });

  it('polls while all streams are taken', async () => {
    const abort = new AbortController();
    const page = await open({
      options: { endpoint: { maxStreams: 1 } },
      expected: /503|establish a connection .*stream/,
      async before({ application, visit }) {
        await fetch(`${application.url}/performance/stream`, { signal: abort.signal });
        await visit('/fine');
      },
    });
    await page.locator('.connection').getByText('Every 5 s').waitFor();
    await page.locator('.operations').getByText('GET /fine').waitFor();
    await dashboard().visit('/albums');
    await page.locator('.operations').getByText('GET /albums').waitFor({ timeout: 8000 });
    abort.abort();
  });

  it('requires the token, rejects a wrong one, and opens with the right one', async () => {
    const page = await open({
      ...visited('/fine'),
      options: { endpoint: { token: 'a-token-of-some-length' } },
      expected: /403|establish a connection .*stream/,
    });
    await page.getByRole('heading', { name: 'Protected page' }).waitFor();
    await page.getByLabel('Token').fill('something else');
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByRole('alert').getByText('Wrong token.').waitFor();
    expect(await page.getByText('GET /fine').count()).toBe(0);
    await page.getByLabel('Token').fill('a-token-of-some-length');
    await page.getByRole('button', { name: 'Open' }).click();
    await page.locator('.operations').getByText('GET /fine').waitFor();
    await page.locator('.connection').getByText('Live').waitFor();
    expect(await page.evaluate('document.cookie')).toBe('');
  });

  it('keeps the selected order and the focus while figures change', async () => {
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

    record(dashboard().monitor, 'slowly', 200, 40);
    record(dashboard().monitor, 'seldom', 10, 1);
    await page.locator('.operations').getByText('seldom').waitFor();
    expect(await names()).toEqual(['seldom', 'often', 'slowly']);
    expect(await page.locator('th[aria-sort]').getAttribute('aria-sort')).toBe('ascending');
    expect(await page.locator(':focus').textContent()).toMatch(/^Calls\/min/);
    await page.reload();
    await page.locator('.operations').getByText('seldom').waitFor();
    expect(await names()).toEqual(['seldom', 'often', 'slowly']);
  });

  it('does not move rows while one has the focus', async () => {
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
    record(dashboard().monitor, other, 5000, 9);
    await page.locator('.operations tr', { hasText: other }).getByText('18').first().waitFor();
    expect(await names()).toEqual(before);
    expect(await page.locator(':focus').textContent()).toBe('second');
    await page.getByLabel('Filter operations by name').focus();
    await untilSeen(async () => (await names()).join() !== before.join());
    expect(await names()).toEqual([...before].reverse());
  });

  it('does not change while paused', async () => {
    const page = await open(visited('/fine'));
    await page.getByRole('button', { name: 'Pause live updates' }).click();
    await page.locator('.connection').getByText('Paused').waitFor();
    await dashboard().visit('/albums');
    await sleep(2500);
    expect(await page.locator('.operations').getByText('GET /albums').count()).toBe(0);
    await page.getByRole('button', { name: 'Resume live updates' }).click();
    await page.locator('.operations').getByText('GET /albums').waitFor();
  });

  it('keeps the scroll position when content is added above', async () => {
    const page = await open({ ...visited('/fine'), context: { viewport: { width: 1000, height: 500 } } });
    const place = page.locator('#drivers');
    await place.waitFor();
    await page.locator('.lane-chart svg').first().waitFor();
    await place.scrollIntoViewIfNeeded();
    await sleep(300);
    const before = (await place.boundingBox())?.y ?? 0;
    for (let index = 0; index < 5; index++) record(dashboard().monitor, `slow ${index}`, 900, 1);
    await page.locator('.slow-list .name', { hasText: 'slow 4' }).waitFor();
    await sleep(300);
    expect(Math.abs(((await place.boundingBox())?.y ?? 0) - before)).toBeLessThan(3);
  });
});
