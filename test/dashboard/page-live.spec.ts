import { describe, expect, it } from '@jest/globals';
import { sleep } from '../support/tracing.js';
import { inBrowser, record, untilSeen, visited } from './browser.js';

describe('the page while things change', () => {
  const { open, dashboard } = inBrowser();

  it('goes on by itself when the application was started anew', async () => {
    const page = await open({
      ...visited('/fine'),
      expected: /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED/,
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
    await dashboard().visit('/albums');
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
    record(dashboard().monitor, other, 5000, 9);
    await page.locator('.operations tr', { hasText: other }).getByText('18').first().waitFor();
    expect(await names()).toEqual(before);
    expect(await page.locator(':focus').textContent()).toBe('second');
    await page.getByLabel('Filter operations by name').focus();
    await untilSeen(async () => (await names()).join() !== before.join());
    expect(await names()).toEqual([...before].reverse());
  });

  it('holds still while it is paused', async () => {
    const page = await open(visited('/fine'));
    await page.getByRole('button', { name: 'Pause live updates' }).click();
    await page.locator('.connection').getByText('Paused').waitFor();
    await dashboard().visit('/albums');
    await sleep(2500);
    expect(await page.locator('.operations').getByText('GET /albums').count()).toBe(0);
    await page.getByRole('button', { name: 'Go on with live updates' }).click();
    await page.locator('.operations').getByText('GET /albums').waitFor();
  });

  it('stays where one reads while new things come above', async () => {
    const page = await open({ ...visited('/fine'), context: { viewport: { width: 1000, height: 500 } } });
    const place = page.locator('#drivers');
    await place.waitFor();
    await page.locator('.lane-chart canvas').first().waitFor();
    await place.scrollIntoViewIfNeeded();
    await sleep(300);
    const before = (await place.boundingBox())?.y ?? 0;
    for (let index = 0; index < 5; index++) record(dashboard().monitor, `slow ${index}`, 900, 1);
    await page.locator('.slow-list .name', { hasText: 'slow 4' }).waitFor();
    await sleep(300);
    expect(Math.abs(((await place.boundingBox())?.y ?? 0) - before)).toBeLessThan(3);
  });
});
