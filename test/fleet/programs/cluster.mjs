// Two workers of node:cluster on one port, each with the module and no configuration.
import cluster from 'node:cluster';

if (cluster.isPrimary) {
  for (let worker = 0; worker < 2; worker++) cluster.fork();
  process.on('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers ?? {})) worker?.kill('SIGKILL');
    process.exit();
  });
} else await import('./instance.mjs');
