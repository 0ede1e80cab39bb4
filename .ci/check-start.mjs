// Starts the sample application in this folder as a person would, asks it for its figures, and ends it: whatever it
// started and wrote must end with it. Exits with 1 and says why where it does not.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const START_MS = 180_000;
const temporary = mkdtempSync(join(tmpdir(), 'check-start-'));
const npm = spawn('npm', ['start'], {
  env: { ...process.env, PORT: '0', TMPDIR: temporary, NO_COLOR: '1' },
  stdio: ['ignore', 'pipe', 'pipe'],
  // A group of its own, all of which is ended where it does not end by itself.
  detached: true,
});
let output = '';
for (const stream of [npm.stdout, npm.stderr]) {
  stream.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
}

try {
  const url = await until(() => {
    if (npm.exitCode !== null) throw new Error('npm start has ended');
    return /runs at (http:\S+)/.exec(output)?.[1];
  }, 'an address');
  await until(() => /operations were slow:/.test(output), 'what was slow');
  const stats = await (await fetch(`${url}/performance/stats`)).json();
  if (!(stats.byType.http?.slowCount > 0)) throw new Error('No slow request was counted');
  npm.kill('SIGTERM');
  if (npm.exitCode === null && npm.signalCode === null) await once(npm, 'exit');
  await until(async () => !(await fetch(url).catch(() => undefined)), 'the end of the server');
  // Node keeps a cache of compiled code beside it.
  const left = () => readdirSync(temporary).filter((name) => name.startsWith('music-store-'));
  await until(() => left().length === 0, 'the end of its files');
  process.stdout.write('npm start: open, measured, ended, and left nothing behind\n');
} catch (error) {
  process.stderr.write(`npm start: ${error.message}\n${output}\n`);
  process.exitCode = 1;
  try {
    process.kill(-npm.pid, 'SIGKILL');
  } catch {
    // All of it has ended by itself.
  }
} finally {
  rmSync(temporary, { recursive: true, force: true, maxRetries: 20 });
}

async function until(ask, what) {
  for (const end = Date.now() + START_MS; Date.now() < end; ) {
    const answer = await ask();
    if (answer) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Waited in vain for ${what}`);
}
