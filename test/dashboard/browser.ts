import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { until } from '../support/application.js';
import { sleep } from '../support/tracing.js';
import { type Dashboard, type DashboardOptions, launchBrowser, openDashboard } from './dashboard.js';

/** The timeout of tests that start a browser. */
export const LONG_MS = 60_000;

/**
 * A browser for the tests of a file. Any error or warning of the page fails the test.
 * @param env environment variables added to those of this process
 */
export function inBrowser(env: Record<string, string> = {}): {
  open(options?: DashboardOptions): Promise<Page>;
  /** The last one opened. */
  dashboard(): Dashboard;
} {
  let browser: Browser;
  let opened: Dashboard | undefined;
  beforeAll(async () => {
    browser = await launchBrowser(env);
  }, LONG_MS);
  afterAll(() => browser.close());
  afterEach(async () => {
    const consoleErrors = opened?.consoleErrors;
    await opened?.close();
    opened = undefined;
    // Includes violations of the Content-Security-Policy.
    expect(consoleErrors).toEqual([]);
  });
  return {
    async open(options = {}) {
      opened = await openDashboard(browser, options);
      return opened.page;
    },
    dashboard() {
      if (opened === undefined) throw new Error('no dashboard is open');
      return opened;
    },
  };
}

/** Requests a path before the page is opened. */
export function visited(path: string): Pick<DashboardOptions, 'before'> {
  return { before: ({ visit }) => visit(path) };
}

/** Records a slow operation with its profile before the page is opened. */
export const withSlowOperation: Pick<DashboardOptions, 'before'> = {
  async before({ visit, monitor }) {
    await visit('/albums');
    await until(() => monitor.getSlowOperations()[0]?.topFunctions !== undefined);
    await sleep(200);
  },
};

/** Records operations of a custom type with a threshold of 100 ms. */
export function record(monitor: Dashboard['monitor'], name: string, durationMs: number, times: number): void {
  for (let time = 0; time < times; time++)
    monitor.record({ type: 'calculation', name, durationMs, thresholdMs: 100, error: false });
}

/** Waits up to 6 seconds until a condition on the page holds. */
export async function untilSeen(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 6000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('the condition did not hold within 6 seconds');
    await sleep(50);
  }
}

/** The horizontal overflow of the page in pixels. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** The serious and critical accessibility violations of the page. */
export async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(`axe.run().then(({ violations }) => violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => id + ': ' + nodes.map(({ html, failureSummary }) => html.slice(0, 200) + ' ' + failureSummary).join(' | ')))`);
}
