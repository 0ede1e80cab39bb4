// The compiled watchdog, which applications can only use through the module.
const { EventLoopWatchdog } = await import(
  new URL('../../dist/modules/process/event-loop-watchdog.js', import.meta.url).href
);

export const watchdog = new EventLoopWatchdog({ enabled: process.argv[2] === 'on', limitMs: 100 });
const before = performance.now();
watchdog.start();
export const startMs = performance.now() - before;
