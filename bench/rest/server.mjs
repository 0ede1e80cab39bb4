// A server that is asked nothing. VARIANT is `bare` or `ours`. Sends one message when it listens; then its CPU time at each message, or,
// if asked for it, its memory after a full collection. Needs `--expose-gc`.
import { setTimeout as delay } from 'node:timers/promises';
import { listen } from '../support/app.mjs';

const [variant] = process.argv.slice(2);
const imports = variant === 'bare' ? [] : [(await import('nestjs-performance')).PerformanceModule.forRoot()];
const { url } = await listen(imports);

process.on('message', async (asked) => {
  if (asked === 'memory') {
    globalThis.gc();
    await delay(1000);
    globalThis.gc();
  }
  process.send({ cpu: process.cpuUsage(), memory: process.memoryUsage() });
});
process.send(url);
