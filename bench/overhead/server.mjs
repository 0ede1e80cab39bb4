// The measured server: `bare`, `context` (an AsyncLocalStorage runs each request) or `ours`. Sends its address, and at each
// message its CPU time, the number of its asynchronous resources, and the own estimate of this package by part.
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { listen } from '../support/app.mjs';

const [variant] = process.argv.slice(2);

async function start() {
  if (variant !== 'ours') {
    const served = await listen();
    if (variant === 'context') carryContext(served.app.getHttpServer());
    return { ...served, parts: () => ({}) };
  }
  const { PerformanceModule, PerformanceMonitor } = await import('nestjs-performance');
  // All parts are measured, so none may pause.
  const served = await listen([PerformanceModule.forRoot({ overhead: { maxCpuPercent: 100 } })]);
  const monitor = served.app.get(PerformanceMonitor);
  return { ...served, parts: () => Object.fromEntries(monitor.overhead.totals) };
}

function carryContext(server) {
  const storage = new AsyncLocalStorage();
  const { emit } = server;
  server.emit = function (event, ...args) {
    const emitAll = () => emit.call(this, event, ...args);
    return event === 'request' ? storage.run({}, emitAll) : emitAll();
  };
}

const { url, parts } = await start();
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send({
    cpuUs: user + system,
    resources: new AsyncResource('bench').asyncId(),
    parts: parts(),
  });
});
process.send(url);
