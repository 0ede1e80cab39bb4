import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { until } from '../support/application.js';
import { sleep } from '../support/tracing.js';
import { type Dashboard, type DashboardOptions, launchBrowser, openDashboard } from './dashboard.js';

/** For what waits for a browser. */
export const LONG_MS = 60_000;

/**
 * A browser for the tests of a file. Whatever the page complains of in one of them fails it.
 * @param env variables of its environment beside those of this process
 */
export function inBrowser(env: Record<string, string> = {}): {
  open(options?: DashboardOptions): Promise<Page>;
  /** The one that was opened last. */
  dashboard(): Dashboard;
} {
  let browser: Browser;
  let opened: Dashboard | undefined;
  beforeAll(async () => {
    browser = await launchBrowser(env);
  }, LONG_MS);
  afterAll(() => browser.close());
  afterEach(async () => {
    const complaints = opened?.complaints;
    await opened?.close();
    opened = undefined;
    // What its policy refuses is among them.
    expect(complaints).toEqual([]);
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

/** Has a path asked for before the page is opened. */
export function visited(path: string): Pick<DashboardOptions, 'before'> {
  return { before: ({ visit }) => visit(path) };
}

/** Has a slow operation before the page is opened, once all that is known of it is. */
export const withSlowOnes: Pick<DashboardOptions, 'before'> = {
  async before({ visit, monitor }) {
    await visit('/albums');
    await until(() => monitor.getSlowOperations()[0]?.topFunctions !== undefined);
    await sleep(200);
  },
};

/** Records operations of the user's own type with a threshold of 100 ms. */
export function record(monitor: Dashboard['monitor'], name: string, durationMs: number, times: number): void {
  for (let time = 0; time < times; time++)
    monitor.record({ type: 'calculation', name, durationMs, thresholdMs: 100, error: false });
}

/** Waits until what is on screen is so, 6 seconds at most. */
export async function untilSeen(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 6000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('the condition did not come to hold');
    await sleep(50);
  }
}

/** By how many pixels the page is wider than its window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}
