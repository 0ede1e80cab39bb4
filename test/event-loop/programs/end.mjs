// Ends in different ways while the watchdog is on.
import { guiltyLoop, load, sleep } from './watchdog.mjs';

const [, , how, blocked] = process.argv;
const EventLoopWatchdog = await load('esm');
const watchdog = new EventLoopWatchdog({ enabled: true, limitMs: 50 });
watchdog.start();
await sleep(200);
if (how === 'stop') {
  const server = (await import('node:net')).createServer().listen(0);
  await sleep(20);
  server.close();
  watchdog.stop();
  watchdog.stop();
}
// Until just after the limit, so that the inspector is being asked when the process ends.
if (blocked !== undefined) guiltyLoop(Number(blocked));
if (how === 'exit') process.exit(0);
if (how === 'throw') {
  process.on('uncaughtException', () => process.exit(0));
  throw new Error('not caught');
}
