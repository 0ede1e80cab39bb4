// The time to import the package after Nest; `without` imports an empty module.
import 'reflect-metadata';
import '@nestjs/common';
import '@nestjs/core';
import '@opentelemetry/api';

const [which] = process.argv.slice(2);
const cpu = process.cpuUsage();
const started = performance.now();
await import(which === 'with' ? 'nestjs-performance' : 'data:text/javascript,');
const wallMs = performance.now() - started;
const { user, system } = process.cpuUsage(cpu);
process.send({ wallMs, cpuMs: (user + system) / 1000 });
