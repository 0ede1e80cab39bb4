// As load.mjs, for `require`.
require('reflect-metadata');
require('@nestjs/common');
require('@nestjs/core');
require('@opentelemetry/api');

const [which] = process.argv.slice(2);
const cpu = process.cpuUsage();
const started = performance.now();
if (which === 'with') require('nestjs-performance');
const wallMs = performance.now() - started;
const { user, system } = process.cpuUsage(cpu);
process.send({ wallMs, cpuMs: (user + system) / 1000 });
