// The time from loading the modules of the application to listening, `with` the module or `without`.
import { listen } from '../support/app.mjs';

const [which] = process.argv.slice(2);
// Loads Nest's adapter first: it belongs to the application.
await import('@nestjs/platform-express');
const imports = which === 'with' ? [(await import('nestjs-performance')).PerformanceModule.forRoot()] : [];

const cpu = process.cpuUsage();
const started = performance.now();
await listen(imports);
const wallMs = performance.now() - started;
const { user, system } = process.cpuUsage(cpu);
process.send({ wallMs, cpuMs: (user + system) / 1000 });
