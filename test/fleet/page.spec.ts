import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { inBrowser, LONG_MS, untilSeen } from '../dashboard/browser.js';
import { FaultProcess } from '../faults/process.js';
import { P1, P2, P3, PROFILE, profilesOf } from './profiles.js';
import { mapStore, simulated, slowOperation } from './simulated-instance.js';

const { open, dashboard } = inBrowser();
const folder = mkdtempSync(join(tmpdir(), 'nestjs-performance-fleet-'));
const others: FaultProcess[] = [];
afterAll(async () => {
  await Promise.all(others.map((one) => one.remove()));
  rmSync(folder, { recursive: true, force: true });
});

describe('the page of one of three instances', () => {
  it(
    'shows all of them, and a slow operation of another one',
    async () => {
      const directory = join(folder, 'fleet');
      for (const VERSION of ['1.0.0', '1.1.0'])
        others.push(
          new FaultProcess('../../fleet/programs/instance.mjs', [], { env: { STORE: directory, VERSION } }),
        );
      const ports = await Promise.all(
        others.map(async (one) => Number((await one.message('ready'))['ready'])),
      );
      for (const port of ports) await (await fetch(`http://127.0.0.1:${port}/busy`)).text();
      const page = await open({
        options: { serviceVersion: '1.0.0', fleet: { directory, publishSeconds: 1 } },
        before: ({ visit }) => visit('/fine'),
      });
      const rows = page.locator('#instances tbody tr');
      await untilSeen(async () => (await rows.count()) === 3);
      const own = `${process.pid}`;
      expect(await rows.first().textContent()).toMatch(new RegExp(`${own} this one1\\.0\\.0`));
      expect(await page.locator('header .service').textContent()).toContain(own);
      for (const { child } of others)
        expect(await page.locator('#instances').textContent()).toContain(`· ${child.pid}`);

      await page.getByRole('link', { name: 'Operations and findings of all instances' }).click();
      await untilSeen(async () => (await page.locator('#all-slow li').count()) === 2);
      expect(await page.locator('#versions tbody tr').count()).toBe(2);
      const busy = page.locator('#all-operations tbody tr').filter({ hasText: 'GET /busy' });
      expect(await busy.textContent()).toContain('2 of 3');

      await page.locator('#all-slow li a').first().click();
      await page.locator('#causes').waitFor();
      expect(await page.locator('h1').textContent()).toContain('GET /busy');
      const facts = await page.locator('.detail-head .facts').textContent();
      expect(others.some(({ child }) => facts?.includes(`-${child.pid}-`))).toBe(true);
      // It is not one of its own.
      expect(dashboard().monitor.getSlowOperations()).toEqual([]);

      others[0]?.kill('SIGKILL');
      await page.goBack();
      await page.locator('#side-by-side .chip.bad').waitFor({ timeout: 30_000 });
      expect(await page.locator('#side-by-side .chip.bad').textContent()).toBe('lost');
      if (process.env['SCREENSHOT'] !== undefined)
        await page.screenshot({ path: process.env['SCREENSHOT'], fullPage: true });
    },
    LONG_MS * 2,
  );

  it(
    'shows the profile of another one, and says who has one that it cannot show',
    async () => {
      const store = mapStore();
      const small = JSON.stringify(PROFILE);
      const other = simulated('other', { store }, { profiles: profilesOf({ [P1]: small, [P2]: undefined }) });
      other.slow.add(slowOperation('a1', { profile: P1, heapSnapshot: 'heap-1' }));
      other.slow.add(slowOperation('a2', { profile: P2 }));
      other.slow.add(slowOperation('a3', { profile: P3 }));
      other.slow.add(slowOperation('a4'));
      await other.fleet.publish();
      const page = await open({ options: { fleet: { store } }, hash: '#/slow/a1', expected: /404/ });
      await page.locator('#profile tbody tr').first().waitFor();
      expect(await page.locator('#profile').textContent()).toContain('sellAlbum');
      expect(await page.locator(`a[href="profiles/${P1}"]`).count()).toBe(1);
      expect(await page.locator('.ids').textContent()).toContain('Its heap snapshot is on other');
      const failure = async (id: string): Promise<string | null> => {
        await page.goto(page.url().replace(/a\d$/, id));
        await page.locator('#profile .empty').filter({ hasText: 'nstance other' }).waitFor();
        expect(await page.locator('a[href^="profiles/"]').count()).toBe(0);
        return page.locator('#profile .empty').textContent();
      };
      expect(await failure('a2')).toBe(
        `The profile "${P2}" is too large for the store of instances: it has 5000000 bytes. Instance other has it`,
      );
      expect(await failure('a3')).toBe(
        'Its profile is a file of instance other, and not in the store of instances.',
      );
      await page.goto(page.url().replace('a3', 'a4'));
      await untilSeen(async () => (await page.locator('#profile').count()) === 0);
    },
    LONG_MS,
  );

  it(
    'shows no section for an instance that is alone',
    async () => {
      const page = await open({
        options: { fleet: { directory: join(folder, 'alone') } },
        before: ({ visit }) => visit('/fine'),
      });
      await page.locator('#operations').waitFor();
      await page.waitForResponse((response) => response.url().endsWith('/fleet'));
      expect(await page.locator('#instances').count()).toBe(0);
    },
    LONG_MS,
  );
});
