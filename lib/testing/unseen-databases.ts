import type { PerformanceMonitor } from '../monitor/performance-monitor.js';
import type { PerformanceRecording } from './recording.js';

/** What the table of drivers holds beside databases. */
const OTHERS = new Set([
  'node:http',
  'fetch',
  'ioredis',
  '@redis/client',
  'memcached',
  'kafkajs',
  'amqplib',
  '@grpc/grpc-js',
  'nats',
]);

/** The databases that the applications use without their queries being seen. */
export function unseenDatabases(
  monitors: readonly PerformanceMonitor[],
  allowed: readonly string[],
): PerformanceRecording['unseen'] {
  const unseen = new Map<string, string>();
  for (const { drivers } of monitors)
    for (const { driver, seen, how, advice } of drivers)
      if (!seen && !OTHERS.has(driver) && !allowed.includes(driver)) unseen.set(driver, advice ?? how);
  return [...unseen].map(([driver, advice]) => ({ driver, advice }));
}
