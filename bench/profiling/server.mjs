// The measured server. VARIANT is `off`, `on` or `tracked`, then the directory of profiles. Replies to each
// message with its CPU time, and with the cost and the memory of the profiler since the last one.

import { performance } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { Controller, Get, Module, Param } from '@nestjs/common';
import { PerformanceModule, PerformanceMonitorService } from 'nestjs-performance';
import { ProfileRing } from '../../dist/modules/profiling/profile-ring.js';
import { listen } from '../support/app.mjs';

const [variant, directory] = process.argv.slice(2);

/** The pause of the main thread for each rotation, in milliseconds. */
let pauses = [];
const { rotate } = ProfileRing.prototype;
ProfileRing.prototype.rotate = function (...args) {
  const began = performance.now();
  Reflect.apply(rotate, this, args);
  pauses.push(performance.now() - began);
};

/** The code and heap of an application with an ORM: 3,000 functions, and 80 MB. */
const code = Array.from(
  { length: 3000 },
  (_, at) =>
    new Function(
      'next',
      'depth',
      `let sum = ${at}; for (let i = 0; i < 400; i++) sum = (sum * 31 + i) % 9973; return depth > 0 ? next(depth - 1) + sum : sum;`,
    ),
);
const heap = Array.from({ length: 400_000 }, (_, at) => ({ at, name: `object ${at}`, list: [at] }));
function work(seed) {
  let place = seed;
  const next = (depth) => {
    place = (place * 7919 + 13) % code.length;
    return code[place](next, depth);
  };
  return next(12) + heap.length;
}

class WorkController {
  work(seed) {
    return { sum: work(Number(seed)) };
  }

  /** In pieces, for 150 ms. */
  async slow() {
    const until = performance.now() + 150;
    let sum = 0;
    while (performance.now() < until) {
      sum += work(sum);
      await turn();
    }
    return { sum };
  }
}
const { prototype } = WorkController;
Param('seed')(prototype, 'work', 0);
Get('work/:seed')(prototype, 'work', Object.getOwnPropertyDescriptor(prototype, 'work'));
Get('slow')(prototype, 'slow', Object.getOwnPropertyDescriptor(prototype, 'slow'));
Controller()(WorkController);
class WorkModule {}
Module({ controllers: [WorkController] })(WorkModule);

const served = await listen([
  WorkModule,
  PerformanceModule.forRoot(
    variant === 'off'
      ? {}
      : {
          enableProfiling: true,
          profileSlowOperations: true,
          httpThresholdMs: 100,
          profiling: { directory, sampler: 'inspector', cooldownSeconds: 1 },
        },
  ),
]);
const monitor = served.app.get(PerformanceMonitorService);
process.on('message', async ({ collect = false }) => {
  if (collect) globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  const { totalOperations, profiling } = monitor.getStats();
  const taken = pauses;
  pauses = [];
  process.send({
    cpuUs: user + system,
    rss,
    heapUsed,
    external,
    arrayBuffers,
    totalOperations,
    profiling,
    pauses: taken,
  });
});
process.send(new URL(served.url).origin);
