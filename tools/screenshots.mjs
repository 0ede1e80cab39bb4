// Opens the sample application, lets visitors come for half a minute, and keeps what its page shows for the README.
import { spawn } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import chromiumFiles from '@sparticuz/chromium';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('..', import.meta.url));
const VISITED_MS = 32_000;
const MAX_BYTES = 300 * 1024;

const port = await freePort();
const url = `http://localhost:${port}/performance`;
const store = spawn(process.execPath, ['sample-app/dist/main.js'], {
  cwd: root,
  // The name of a machine that nobody has.
  env: { ...process.env, PORT: String(port), CONTAINER_NAME: 'shop-1' },
  stdio: 'ignore',
});
try {
  await answer(`${url}/overview`);
  await sleep(VISITED_MS);
  const slow = await (await fetch(`${url}/slow?limit=200`)).json();
  const shown =
    slow.find(({ cause, profile }) => cause === 'cpu' && profile) ?? slow.find(({ profile }) => profile);
  if (shown === undefined)
    throw new Error('No slow operation has a profile: let the visitors stay for longer');
  const executablePath = await chromiumFiles.executablePath();
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--force-color-profile=srgb'],
    env: { ...process.env, FONTCONFIG_FILE: fontConfiguration() },
  });
  mkdirSync(join(root, 'docs'), { recursive: true });
  await keep(browser, '', 'light', 'dashboard.png');
  await keep(browser, '', 'dark', 'dashboard-dark.png');
  await keep(browser, `#/slow/${shown.id}`, 'light', 'slow-operation.png');
  await browser.close();
} finally {
  store.kill('SIGTERM');
}

async function keep(browser, hash, colorScheme, name) {
  const context = await browser.newContext({
    colorScheme,
    locale: 'en-US',
    reducedMotion: 'reduce',
    viewport: { width: 1180, height: hash === '' ? 900 : 1250 },
    deviceScaleFactor: 1.5,
  });
  const page = await context.newPage();
  await page.goto(url + hash);
  await page.waitForSelector(hash === '' ? '.lane-chart svg' : '.d3-flame-graph .frame');
  // The last transitions and figures.
  await sleep(1500);
  const path = join(root, 'docs', name);
  await page.screenshot({ path });
  await context.close();
  const { size } = statSync(path);
  if (size > MAX_BYTES) throw new Error(`${name} has ${size} bytes, which is more than ${MAX_BYTES}`);
  process.stdout.write(`docs/${name}: ${Math.round(size / 1024)} KB\n`);
}

async function answer(address) {
  for (let tries = 0; tries < 120; tries++) {
    if (store.exitCode !== null)
      throw new Error('The sample application has ended: run npm run start:quiet to see why');
    const response = await fetch(address).catch(() => undefined);
    if (response?.ok) return;
    await sleep(500);
  }
  throw new Error('The sample application does not answer');
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** The fonts that come with the browser, so that pictures look alike wherever they are made. */
function fontConfiguration() {
  const file = join(tmpdir(), 'nestjs-performance-fonts.conf');
  const prefer = (family, font) =>
    `<alias><family>${family}</family><prefer><family>${font}</family></prefer></alias>`;
  writeFileSync(
    file,
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>${join(tmpdir(), 'fonts')}</dir><dir>/usr/share/fonts</dir>${prefer('system-ui', 'Open Sans')}${prefer('sans-serif', 'Open Sans')}${prefer('monospace', 'DejaVu Sans Mono')}</fontconfig>`,
  );
  return file;
}
