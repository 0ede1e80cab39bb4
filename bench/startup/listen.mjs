// The time from the application's modules being loaded to its listening, `with` the module or `without`.
import { listen } from '../support/app.mjs';

const [which] = process.argv.slice(2);
// Loading Nest's adapter is the application's own, and is paid by whichever comes first.
await import('@nestjs/platform-express');
const imports = which === 'with' ? [(await import('nestjs-performance')).PerformanceModule.forRoot()] : [];

const cpu = process.cpuUsage();
const started = performance.now();
await listen(imports);
const wallMs = performance.now() - started;
const { user, system } = process.cpuUsage(cpu);
process.send({ wallMs, cpuMs: (user + system) / 1000 });
