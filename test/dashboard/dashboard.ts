import { execFileSync } from 'node:child_process';
import { pbkdf2Sync, scryptSync } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { Controller, Get, Injectable, Logger } from '@nestjs/common';
import { SpanKind, trace } from '@opentelemetry/api';
import { type Browser, type BrowserContextOptions, chromium, firefox, type Page } from 'playwright-core';
import { PerformanceMonitor } from '../../lib/monitor/performance-monitor.js';
import type { PerformanceOptions } from '../../lib/nest/module-options.js';
import type { PerformanceModuleExtras } from '../../lib/nest/performance.module.js';
import { startApplication, type TestApplication } from '../support/application.js';
import { sleep } from '../support/tracing.js';

@Injectable()
class Passwords {
  /** Each call is short; together they block the event loop. */
  hash(ms: number): void {
    const end = performance.now() + ms;
    while (performance.now() < end) pbkdf2Sync('password', 'salt', 500, 32, 'sha512');
  }

  check(ms: number): void {
    const end = performance.now() + ms;
    while (performance.now() < end) scryptSync('password', 'salt', 32, { N: 256 });
  }
}

@Controller()
class ShopController {
  private readonly logger = new Logger('Shop');

  constructor(private readonly passwords: Passwords) {}

  @Get('fine')
  fine(): string {
    return 'fine';
  }

  @Get('failing')
  failing(): string {
    this.logger.error('no such album');
    throw new TypeError('album is undefined');
  }

  /** One query per album, then CPU work. */
  @Get('albums')
  async albums(): Promise<string> {
    const tracer = trace.getTracer('store');
    for (let album = 0; album < 12; album++) {
      const text = `select * from track where album_id = ${album}`;
      const attributes = { 'db.system.name': 'postgresql', 'db.query.text': text };
      const span = tracer.startSpan('pg.query', { kind: SpanKind.CLIENT, attributes });
      await sleep(6);
      span.end();
    }
    this.logger.warn('hashes with password=hunter2');
    this.passwords.hash(120);
    this.passwords.check(60);
    return 'albums';
  }
}

/** The timeout for content to appear on the page. */
const VISIBLE_MS = 8000;

/** A browser for the tests of one file: Firefox if `TEST_BROWSER` is `firefox`, otherwise Chromium. @param env environment variables added to those of this process */
export async function launchBrowser(env: Record<string, string> = {}): Promise<Browser> {
  const inherited = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  const environment = { ...Object.fromEntries(inherited), ...env };
  if (process.env['TEST_BROWSER'] === 'firefox')
    return firefox.launch({ env: environment, channel: 'moz-firefox', executablePath: firefoxPath() });
  return chromium.launch({
    env: environment,
    executablePath: browserPath(),
    args: ['--no-sandbox', '--disable-gpu'],
  });
}

function firefoxPath(): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const paths = folders.flatMap((folder) => [join(folder, 'firefox-esr'), join(folder, 'firefox')]);
  const path = paths.find((one) => existsSync(one));
  if (path === undefined) throw new Error('TEST_BROWSER is firefox, but no firefox is in the PATH');
  return path;
}

const BROWSER = join(__dirname, '../../node_modules/.cache/browser');

/**
 * The browser, unpacked once for each installation: what another user has unpacked cannot be run. Several processes may
 * do so at a time, each into a folder of its own.
 */
function browserPath(): string {
  const path = join(BROWSER, 'chromium');
  if (existsSync(path)) return path;
  mkdirSync(dirname(BROWSER), { recursive: true });
  const TMPDIR = mkdtempSync(`${BROWSER}-`);
  const unpack = "import('@sparticuz/chromium').then((files) => files.default.executablePath())";
  // Jest gives tests a copy of the environment, so only another process has another directory for temporary files.
  execFileSync(process.execPath, ['-e', unpack], { cwd: __dirname, env: { ...process.env, TMPDIR } });
  try {
    renameSync(TMPDIR, BROWSER);
  } catch {
    // Another process was faster.
    rmSync(TMPDIR, { recursive: true });
  }
  return path;
}

/** A real application, and a browser with its page open. */
export interface Dashboard {
  readonly application: TestApplication;
  readonly monitor: PerformanceMonitor;
  readonly page: Page;
  /** Errors and warnings of the page, including violations of its policy. Expected to be empty. */
  readonly consoleErrors: string[];
  /** Requests a path of the application. */
  visit(path: string): Promise<void>;
  /** Stops the application, runs `meanwhile`, and starts another one on the same port. */
  restart(meanwhile: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

export interface DashboardOptions {
  readonly options?: PerformanceOptions & PerformanceModuleExtras;
  /** Runs before the page is opened. */
  readonly before?: (dashboard: Omit<Dashboard, 'page'>) => Promise<void> | void;
  /** Appended to the address of the page. */
  readonly hash?: string;
  readonly context?: BrowserContextOptions;
  /** Runs in the page before its own scripts. */
  readonly script?: string;
  /** Console errors that the test provokes. */
  readonly expected?: RegExp;
}

/** Starts an application with the page, and opens it in a browser. */
export async function openDashboard(browser: Browser, given: DashboardOptions = {}): Promise<Dashboard> {
  const directory = mkdtempSync(join(tmpdir(), 'dashboard-'));
  let application = await start(directory, given);
  const { url } = application;
  const consoleErrors: string[] = [];
  const context = await browser.newContext({ locale: 'en-US', ...given.context });
  const dashboard = {
    get application() {
      return application;
    },
    get monitor() {
      return application.app.get(PerformanceMonitor);
    },
    consoleErrors,
    async visit(path: string) {
      await (await fetch(url + path)).arrayBuffer();
    },
    async restart(meanwhile: () => Promise<void>) {
      // A browser on a busy machine opens connections that it never uses, and a server waits for these.
      const server = application.app.getHttpServer();
      const cut = setInterval(() => server.closeAllConnections(), 100);
      await application.app.close().finally(() => clearInterval(cut));
      await meanwhile();
      application = await start(directory, given, Number(new URL(url).port));
    },
    async close() {
      await context.close();
      await application.app.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  await given.before?.(dashboard);
  if (given.script !== undefined) await context.addInitScript({ content: given.script });
  context.setDefaultTimeout(VISIBLE_MS);
  const page = await context.newPage();
  const report = (text: string): void => {
    if (given.expected?.test(text) !== true) consoleErrors.push(text);
  };
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) report(message.text());
  });
  page.on('pageerror', ({ message }) => report(message));
  await page.goto(`${url}/performance${given.hash ?? ''}`);
  return Object.assign(dashboard, { page });
}

function start(
  directory: string,
  { options = {} }: DashboardOptions,
  port?: number,
): Promise<TestApplication> {
  return startApplication(
    'express',
    { controllers: [ShopController], providers: [Passwords], port },
    {
      serviceName: 'shop',
      httpThresholdMs: 100,
      enableProfiling: true,
      profileSlowOperations: true,
      profiling: { sampler: 'inspector', directory, cooldownSeconds: 0 },
      baseline: { enabled: false },
      ...options,
    },
  );
}
