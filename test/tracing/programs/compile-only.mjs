// Compiles a testing module and never closes it, or only evaluates `forRoot`. Prints what that started when the process ends.
import { createHook } from 'node:async_hooks';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
require('reflect-metadata');
const { Module } = require('@nestjs/common');
const { Test } = require('@nestjs/testing');
const [folder, step] = process.argv.slice(2);
const { PerformanceModule } = require(`${folder}/index.js`);

// Nest's logger opens them.
void process.stdout.isTTY;
void process.stderr.isTTY;
const started = [];
const LASTING = /Timeout|WORKER|MESSAGEPORT|ELDHISTOGRAM|SERVER|SOCKET|PIPE|TCP|FSEVENT|SIGNAL|INSPECTOR/;
createHook({
  init(_id, type, _trigger, resource) {
    if (LASTING.test(type) && resource?._idleTimeout !== 0) started.push(type);
  },
}).enable();
const before = process.getActiveResourcesInfo().filter((type) => LASTING.test(type));
const dynamic = PerformanceModule.forRoot({
  tracing: { endpoint: 'http://127.0.0.1:4600' },
  enableProfiling: true,
});
class AppModule {}
Module({ imports: [dynamic] })(AppModule);
if (step === 'compile') await Test.createTestingModule({ imports: [AppModule] }).compile();
if (step === 'initialize') await (await Test.createTestingModule({ imports: [AppModule] }).compile()).init();
const startedAt = performance.now();
await new Promise((resolve) => setImmediate(resolve));
const after = process.getActiveResourcesInfo().filter((type) => LASTING.test(type));
process.on('exit', () => {
  const result = { before, after, started, ms: performance.now() - startedAt };
  process.stdout.write(`${JSON.stringify(result)}\n`);
});
